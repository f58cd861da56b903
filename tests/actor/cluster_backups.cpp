// Backups of the simulated nodes: read from their snapshots, sent to them, restored.
#include "runtime/storage/snapshot_dir.hpp"
#include "runtime/storage/snapshot_format.hpp"
#include "tests/actor/cluster_disk.hpp"
#include "tests/actor/cluster_world.hpp"

#include <algorithm>

namespace troupe::test {

namespace {

constexpr std::size_t chunk_bytes = 500;

std::filesystem::path staged_path(const raft::snapshot_id& backup) {
  return std::filesystem::path{"/staged"} / snapshot_format::file_name(backup);
}

} // namespace

std::string cluster_world::bytes_of(node_id id, const raft::snapshot_id& snapshot) {
  snapshot_dir files{*members_.at(id).storage->files, "/snapshots", {}};
  return files.open(snapshot)->read(0, snapshot.size);
}

staged_or_not cluster_world::stage(node_id at, const raft::snapshot_id& backup, std::string_view bytes) {
  auto told = std::make_shared<std::optional<staged_or_not>>();
  const auto send = [&](std::uint64_t offset, std::string_view data) {
    told->reset();
    system.spawn<errand>([told, node = members_.at(at).node,
                          chunk = stage_backup{backup, offset, std::string{data}}](caf::event_based_actor* self) {
      self->request(node, caf::infinite, chunk)
          .then(
              [told](const backup_staged& answer) {
                *told = staged_or_not{answer.next, errc::none, {}};
              },
              [told](const caf::error& e) {
                *told = staged_or_not{0, describe(e).code, describe(e).message};
              });
    });
    work(any_pace);
  };
  send(0, {});
  while (told->value().code == errc::none && told->value().next < bytes.size())
    send(told->value().next, bytes.substr(told->value().next, chunk_bytes));
  return told->value();
}

bool cluster_world::has_staged(node_id id, const raft::snapshot_id& backup) const {
  return members_.at(id).storage->files->exists(staged_path(backup));
}

void cluster_world::spoil_staged(node_id id, const raft::snapshot_id& backup, bool altered) {
  auto& files = *members_.at(id).storage->files;
  if (altered) return files.flip_byte(staged_path(backup), backup.size / 2);
  files.remove(staged_path(backup));
  files.sync_directory("/staged");
}

std::shared_ptr<std::optional<late_answer>> cluster_world::restore(node_id at, const raft::snapshot_id& backup,
                                                                   std::chrono::milliseconds timeout) {
  return ask_late<restore_made>(at, make_restore{backup, timeout});
}

} // namespace troupe::test
