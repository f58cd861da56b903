#include "tests/unit/transport/test_heap.hpp"

#include <malloc.h>

#include <cstdlib>
#include <new>

namespace troupe::net::testing {

std::atomic<std::size_t> in_use{0};
std::atomic<std::size_t> most_in_use{0};

std::size_t& failing_allocation() {
  thread_local std::size_t left = 0;
  return left;
}

} // namespace troupe::net::testing

using namespace troupe::net::testing;

void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  auto& left = failing_allocation();
  if (left > 0 && --left == 0) return nullptr;
  void* p = std::malloc(size);
  const auto now = in_use += ::malloc_usable_size(p);
  for (auto most = most_in_use.load(); most < now && !most_in_use.compare_exchange_weak(most, now);) {
  }
  return p;
}
void* operator new(std::size_t size) {
  if (void* p = operator new(size, std::nothrow)) return p;
  throw std::bad_alloc{};
}
void operator delete(void* p) noexcept {
  in_use -= ::malloc_usable_size(p);
  std::free(p);
}
void operator delete(void* p, std::size_t) noexcept { operator delete(p); }
