#include "tests/fuzz/target.hpp"

#include <cstdio>
#include <cstdlib>

void troupe::fuzz::found(std::string_view property) {
  std::fprintf(stderr, "FOUND: %.*s\n", static_cast<int>(property.size()), property.data());
  std::abort();
}
