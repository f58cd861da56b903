#include "tests/fuzz/service_state.hpp"

#include <algorithm>
#include <troupe/services/map_service.hpp>

namespace troupe::fuzz {
namespace {

struct memory_source final : detail::snapshot_source {
  explicit memory_source(std::string_view bytes) : left(bytes) {}
  std::size_t read(std::span<char> into) override {
    const auto size = left.copy(into.data(), into.size());
    left.remove_prefix(size);
    return size;
  }
  std::string_view left;
};

struct memory_sink final : detail::snapshot_sink {
  void write(std::string_view more) override { bytes += more; }
  std::string bytes;
};

} // namespace

std::unique_ptr<detail::machine> load_map(std::string_view state) {
  auto machine = detail::make_machine(map_service{});
  memory_source from{state};
  try {
    machine->load(from);
  } catch (const snapshot_error&) {
    return nullptr;
  }
  return machine;
}

std::string state_of(const detail::machine& of) {
  memory_sink to;
  of.view()->save(to);
  return to.bytes;
}

std::string map_state(int keys) {
  const auto machine = detail::make_machine(map_service{});
  index_t index = 0;
  for (const std::string map : {"a", "b"})
    for (int i = 0; i < keys; ++i) {
      const map::put command{map, "key" + std::to_string(i), value::of(std::string(static_cast<unsigned>(i), 'x'))};
      machine->apply(map::put::tag, msgpack_serializer::encode(command), {++index});
    }
  return state_of(*machine);
}

} // namespace troupe::fuzz
