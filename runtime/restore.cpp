#include "runtime/restore.hpp"

#include "runtime/storage/snapshot_reader.hpp"

#include <string>
#include <troupe/log.hpp>
#include <troupe/printable.hpp>

namespace troupe {
namespace {

std::string name_of(std::uint64_t backup) { return "the backup " + to_string(raft::node_id{backup}); }

} // namespace

std::optional<std::uint64_t> check_backup(file_system& fs, const std::filesystem::path& file,
                                          const std::vector<machine_factory>& services) {
  if (!fs.exists(file)) return {};
  const auto found = verify_snapshot(fs, file, file_role::backup);
  const auto machines = make_machines(services);
  for (const auto& section : found.sections)
    if (!machines.contains(section.service))
      throw raft::storage_error("the backup " + file.string() + " contains the service " + printable(section.service) +
                                ", which this program does not run");
  return found.id.checksum;
}

bool is_to_restore(const data_dir& directory, const std::filesystem::path& file,
                   const std::optional<std::uint64_t>& backup) {
  const auto here = "data directory " + directory.path().string();
  if (directory.cluster() && !directory.promise() && directory.restored() != 0) {
    if (backup && *backup != directory.restored())
      throw raft::storage_error("refusing to restore " + file.string() + ", " + name_of(*backup) + ": " + here +
                                " belongs to cluster " + to_string(directory.cluster()) + ", which began with " +
                                name_of(directory.restored()));
    log().info("cluster {} already began with {}: {} is not restored again", to_string(directory.cluster()),
               name_of(directory.restored()), file.string());
    return false;
  }
  if (!backup) throw raft::storage_error("there is no usable backup " + file.string() + ", but " + here + " needs it");
  if (const auto& bytes = directory.promise()) {
    const auto promise = raft::decode_promise(*bytes);
    if (promise && promise->backup == *backup) return true;
    throw raft::storage_error("refusing to restore " + file.string() + ": " + here +
                              " takes part in a formation without this backup");
  }
  if (directory.cluster())
    throw raft::storage_error("refusing to restore " + file.string() + ": " + here + " belongs to cluster " +
                              to_string(directory.cluster()) +
                              "; a backup can only be restored into empty data directories");
  return true;
}

void install_backup(file_system& fs, const std::filesystem::path& file, const data_dir& directory,
                    const wal_options& options, snapshot_dir& snapshots, const raft::membership_decision& as,
                    const std::stop_token& stop) {
  if (!snapshots.list().empty()) return;
  {
    // Create the log before the snapshot: a snapshot without a log looks as if the log was lost.
    raft::recovered found;
    const auto made = wal::open(fs, directory.log_path(), options, found, stop);
    if (found.last_index > 0) return;
  }
  const auto backup = verify_snapshot(fs, file, file_role::backup, stop);
  if (backup.id.checksum != as.backup)
    throw raft::storage_error(file.string() + " is no longer " + name_of(as.backup) + ", with which cluster " +
                              to_string(as.cluster) + " begins");
  const auto last = backup.header.at.last;
  copy_snapshot(fs, file, snapshots, {last, last.index, as.initial}, stop);
  log().info("cluster {} begins with {}, of cluster {} up to index {}: the log begins at {}", to_string(as.cluster),
             name_of(as.backup), to_string(backup.header.cluster), last.index, last.index + 1);
}

} // namespace troupe
