// This test program's heap. It counts bytes, so that a test can measure what a few hostile bytes cost, and fails when a
// test says so.
#pragma once

#include <atomic>
#include <cstddef>

namespace troupe::net::testing {

/// Bytes of the heap.
extern std::atomic<std::size_t> in_use;
extern std::atomic<std::size_t> most_in_use;

/// Which allocation of this thread throws std::bad_alloc: 1 is the next one; 0: none.
std::size_t& failing_allocation();

} // namespace troupe::net::testing
