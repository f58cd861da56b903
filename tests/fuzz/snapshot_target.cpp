// Fuzzes snapshot files and backups, from a disk or from another node. Their checksums are valid (any_checksum.cpp).
#include "runtime/storage/memory_file_system.hpp"
#include "runtime/storage/snapshot_dir.hpp"
#include "runtime/storage/snapshot_reader.hpp"
#include "tests/fuzz/service_state.hpp"
#include "tests/fuzz/target.hpp"

#include <optional>
#include <troupe/services/map_service.hpp>

using namespace troupe;

namespace {

const std::filesystem::path given = "/disk/given";

std::optional<snapshot_summary> verified(file_system& fs, file_role role) {
  try {
    return verify_snapshot(fs, given, role);
  } catch (const raft::storage_error&) {
    return {};
  }
}

void announce(file_system& fs, bool whole) {
  try {
    static_cast<void>(snapshot_reader{fs, given}.announced_id());
  } catch (const raft::storage_error&) {
    fuzz::check(!whole, "a complete file cannot be identified");
  }
}

/// Lets the service read its part. A complete file may contain a part that the service refuses.
void read_section(std::string_view service, detail::snapshot_source& source) {
  const auto machine = detail::make_machine(map_service{});
  if (service != map_service::name) return;
  try {
    machine->load(source);
  } catch (const snapshot_error&) {
  }
}

/// Passes the file as another node's snapshot arrives: in chunks, which may end anywhere.
void receive(snapshot_dir& into, const raft::snapshot_id& id, std::string_view bytes) {
  const auto receiver = into.receive(id);
  for (std::size_t at = 0; at < bytes.size(); at += 100) receiver->write(bytes.substr(at, 100));
  receiver->finish(read_section);
}

} // namespace

void troupe::fuzz::try_input(std::string_view bytes) {
  memory_file_system fs;
  fs.make_directory(given.parent_path());
  const auto file = fs.create(given);
  file->write(0, bytes);
  file->sync();
  const auto found = verified(fs, file_role::snapshot);
  check(found.has_value() == verified(fs, file_role::backup).has_value(),
        "a snapshot is identified as a backup, or the reverse");
  announce(fs, found.has_value());
  snapshot_dir copies{fs, "/disk/copies", raft::cluster_id{7}};
  if (!found) {
    try {
      copy_snapshot(fs, given, copies, {});
      fuzz::found("a damaged file can be copied");
    } catch (const raft::storage_error&) { // the error says what is wrong
    }
    return check(copies.list().empty(), "a copy of a damaged file is left");
  }
  check(found->id.size == bytes.size(), "a snapshot whose size differs from its file's");
  const auto copy = copy_snapshot(fs, given, copies, found->header.at);
  copies.load(copy, read_section);
  snapshot_dir arrived{fs, "/disk/arrived", raft::cluster_id{}};
  receive(arrived, found->id, bytes);
  arrived.load(found->id, read_section);
}

std::vector<std::string> troupe::fuzz::seeds() {
  memory_file_system fs;
  snapshot_dir written{fs, "/disk/written", raft::cluster_id{6}};
  raft::snapshot_point at;
  at.last = {5, 1};
  at.configuration_index = 1;
  at.members.voters.push_back({{5}, "127.0.0.1:5000"});
  std::vector<std::string> all;
  for (const int keys : {0, 5, 40}) {
    const auto file = written.create(at);
    file->begin("map").write(map_state(keys));
    if (keys == 40) file->begin("other").write("state");
    const auto id = file->finish();
    all.push_back(written.open(id)->read(0, id.size));
    written.remove(id);
  }
  const auto empty = written.create(at)->finish();
  all.push_back(written.open(empty)->read(0, empty.size));
  return all;
}

std::vector<std::string> troupe::fuzz::words() {
  return {"troupSNP", std::string("\1\0\0\0", 4),   std::string("\2\0\0\0", 4), std::string("\3\0\0\0", 4),
          "\1map",    std::string("\0\0\x10\0", 4), "\xff\xff\xff\xff",         "!muskehc"};
}
