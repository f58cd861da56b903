#include "tests/unit/offline/offline_node.hpp"

#include "runtime/storage/data_dir.hpp"
#include "services/command.hpp"

#include <algorithm>
#include <troupe/msgpack_serializer.hpp>

namespace troupe::test {
namespace {

/// With these, three entries fill a segment.
constexpr wal_options small_segments{.segment_size = 8192, .reserve = 512, .zero_ahead = 1024};

raft::configuration members_with(raft::node_id self, int other_voters) {
  raft::configuration members{{{self, "here:1"}, {{8}, "eight:1"}}, {}, {{{9}, "nine:1"}}};
  if (other_voters > 1) members.voters.push_back({{10}, "ten:1"});
  return members;
}

raft::entry entry_at(raft::index_t index, raft::term_t term, const raft::configuration& members) {
  if (index == 1) return {1, term, raft::entry_kind::configuration, raft::bytes{raft::encode(members)}};
  if (index == 2) return {2, term, raft::entry_kind::noop, {}};
  const auto payload =
      msgpack_serializer::encode(std::vector<std::string>{"key" + std::to_string(index), std::string(900, 'v')});
  return {index, term, raft::entry_kind::command, raft::bytes{services::encode_command("map", "put", payload)}};
}

} // namespace

std::filesystem::path segment(const std::filesystem::path& directory, std::uint64_t sequence) {
  return directory / "log" / wal_format::segment_name(sequence);
}

raft::node_id make_directory(file_system& fs, const std::filesystem::path& path, const directory_options& how) {
  if (how.id) {
    fs.make_directory(path);
    identity given;
    given.id = how.id;
    replace_file(fs, path / "identity", encode_identity(given));
  }
  data_dir directory{fs, path};
  directory.set_cluster(old_cluster);
  const auto members = members_with(directory.id(), how.other_voters);
  raft::recovered found;
  snapshot_dir snapshots{fs, path / "snapshots", old_cluster};
  const auto log = wal::open(fs, directory.log_path(), small_segments, found);
  for (raft::index_t index = 1; index <= how.entries; ++index) {
    const auto term = index == how.entries ? how.last_term : 1;
    raft::write change;
    change.hard = raft::hard_state{term, directory.id()};
    change.append.push_back(entry_at(index, term, members));
    log->apply(change);
    log->sync();
  }
  if (how.snapshot_at > 0) {
    const auto out = snapshots.create({{how.snapshot_at, 1}, 1, members});
    out->begin("map").write("the map's bytes");
    out->finish();
    if (how.compacted) log->compact(how.snapshot_at);
  }
  return directory.id();
}

raft::recovered start(file_system& fs, const std::filesystem::path& path) {
  const data_dir directory{fs, path};
  snapshot_dir snapshots{fs, path / "snapshots", directory.cluster()};
  raft::recovered found;
  const auto load = [&](const raft::snapshot_id& id) {
    return snapshots.load(id, [](std::string_view, detail::snapshot_source&) {});
  };
  open_state(fs, directory.log_path(), small_segments, snapshots, load, found);
  return found;
}

} // namespace troupe::test
