// This test program's heap: it counts, so that a test can tell what a few hostile bytes cost, and fails when a test
// says so.
#pragma once

#include <atomic>
#include <cstddef>

namespace troupe::net::testing {

/// Bytes of the heap.
extern std::atomic<std::size_t> in_use;
extern std::atomic<std::size_t> most_in_use;

/// Of this thread, the allocation that throws std::bad_alloc: 1 is the next one; 0: none.
std::size_t& failing_allocation();

} // namespace troupe::net::testing
