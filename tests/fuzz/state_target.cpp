// Fuzzes the state of the map service, as in a snapshot.
#include "tests/fuzz/service_state.hpp"
#include "tests/fuzz/target.hpp"

#include <troupe/detail/machine.hpp>
#include <troupe/services/map_service.hpp>

using namespace troupe;

void troupe::fuzz::try_input(std::string_view bytes) {
  const auto loaded = load_map(bytes);
  if (!loaded) return;
  const auto saved = state_of(*loaded);
  const auto again = load_map(saved);
  check(again != nullptr, "a loaded state is saved as one that cannot be loaded");
  check(state_of(*again) == saved, "a saved state loads as a different one");
}

std::vector<std::string> troupe::fuzz::seeds() { return {map_state(0), map_state(1), map_state(5)}; }

std::vector<std::string> troupe::fuzz::words() {
  return {std::string("\4\0\0\0\xa3map", 8),
          std::string("\1\0\0\0\1", 5),
          std::string("\1\0\0\0\0", 5),
          std::string("\2\0\0\0\xa1k", 6),
          "\xff\xff\xff\xff",
          std::string("\0\0\0\4", 4),
          std::string("\5\0\0\0\xce\xff\xff\xff\xff", 9),
          "\xc4\1\xc0"};
}
