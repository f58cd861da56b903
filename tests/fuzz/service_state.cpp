#include "tests/fuzz/service_state.hpp"

#include "services/map/map_service.hpp"

#include <algorithm>

namespace troupe::fuzz {
namespace {

struct memory_source final : services::snapshot_source {
  explicit memory_source(std::string_view bytes) : left(bytes) {}
  std::size_t read(std::span<char> into) override {
    const auto size = left.copy(into.data(), into.size());
    left.remove_prefix(size);
    return size;
  }
  std::string_view left;
};

struct memory_sink final : services::snapshot_sink {
  void write(std::string_view more) override { bytes += more; }
  std::string bytes;
};

} // namespace

std::unique_ptr<services::machine> load_map(std::string_view state) {
  auto machine = services::make_machine(map_service{});
  memory_source from{state};
  try {
    machine->load(from);
  } catch (const services::snapshot_error&) {
    return nullptr;
  }
  return machine;
}

std::string state_of(const services::machine& of) {
  memory_sink to;
  of.view()->save(to);
  return to.bytes;
}

std::string map_state(int keys) {
  const auto machine = services::make_machine(map_service{});
  raft::index_t index = 0;
  for (const std::string map : {"a", "b"})
    for (int i = 0; i < keys; ++i) {
      const map::put command{map, "key" + std::to_string(i),
                             services::value::of(std::string(static_cast<unsigned>(i), 'x'))};
      machine->apply(map::put::tag, services::msgpack_serializer::encode(command), {++index});
    }
  return state_of(*machine);
}

} // namespace troupe::fuzz
