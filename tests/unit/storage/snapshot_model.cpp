#include "tests/unit/storage/snapshot_model.hpp"

#include <random>

namespace troupe::test {

raft::snapshot_point make_point(raft::index_t index, raft::term_t term) {
  return {{index, term}, 1, {{{{1}, "one:1"}, {{2}, "two:2"}}, {}, {{{3}, "three:3"}}}};
}

raft::snapshot_id write_snapshot(snapshot_files& to, const raft::snapshot_point& at, const services_state& state) {
  const auto out = to.create(at);
  for (const auto& [service, bytes] : state) {
    auto& sink = out->begin(service);
    // In chunks of many sizes, as services write.
    std::size_t size = 1;
    for (std::string_view left = bytes; !left.empty(); left.remove_prefix(std::min(size, left.size())), size *= 7)
      sink.write(left.substr(0, size));
  }
  return out->finish();
}

services_state load_snapshot(snapshot_files& from, const raft::snapshot_id& id, raft::snapshot_point* at) {
  services_state state;
  const auto point = from.load(id, [&](std::string_view service, detail::snapshot_source& source) {
    state.emplace_back(service, "");
    char buffer[1000];
    while (const auto size = source.read(buffer)) state.back().second.append(buffer, size);
  });
  if (at) *at = point;
  return state;
}

raft::snapshot_point send_snapshot(snapshot_files& from, snapshot_files& to, const raft::snapshot_id& id,
                                   std::size_t chunk) {
  const auto source = from.open(id);
  const auto sink = to.receive(source->id());
  for (std::string part; !(part = source->read(sink->next(), chunk)).empty();) sink->write(part);
  return sink->finish([](std::string_view, detail::snapshot_source&) {});
}

std::string some_bytes(std::size_t size, unsigned seed) {
  std::mt19937_64 random{seed};
  std::string bytes(size, '\0');
  for (auto& c : bytes) c = static_cast<char>(random());
  return bytes;
}

} // namespace troupe::test
