#include "runtime/node_disk.hpp"

#include "runtime/restore.hpp"
#include "runtime/storage/open_state.hpp"
#include "runtime/storage/reading_stopped.hpp"
#include "runtime/storage/snapshot_dir.hpp"

#include <utility>

namespace troupe {
namespace {

/// Reads a snapshot; throws once a stop is requested.
class stoppable_source final : public detail::snapshot_source {
 public:
  stoppable_source(detail::snapshot_source& from, const std::stop_token& stop) : from_(from), stop_(stop) {}
  std::size_t read(std::span<char> into) override {
    check(stop_);
    return from_.read(into);
  }

 private:
  detail::snapshot_source& from_;
  const std::stop_token& stop_;
};

} // namespace

storage_factory open_disk(std::shared_ptr<node_disk> on, const wal_options& options, std::filesystem::path backup) {
  return [on = std::move(on), options, backup = std::move(backup)](const raft::membership_decision& as,
                                                                   const std::vector<machine_factory>& services,
                                                                   const std::stop_token& stop) {
    opened_log opened;
    // Keep the files alive as long as the objects that use them.
    const auto open = [&on](const std::shared_ptr<snapshot_folder>& folder, raft::cluster_id cluster) {
      return std::shared_ptr<snapshot_dir>{new snapshot_dir{folder, cluster}, [on](snapshot_dir* p) { delete p; }};
    };
    auto snapshots = open(on->snapshots, as.cluster);
    opened.staged = open(on->staged, {});
    if (as.backup != 0) install_backup(*on->files, backup, on->directory, options, *snapshots, as, stop);
    const auto load = [&](const raft::snapshot_id& id) {
      raft::snapshot_point at;
      const auto read = [&](const snapshot_section& each) {
        return snapshots->load(id, [&](std::string_view service, detail::snapshot_source& from) {
          stoppable_source source{from, stop};
          each(service, source);
        });
      };
      opened.machines = load_machines(read, services, at);
      opened.snapshot = id;
      return at;
    };
    opened.storage = open_state(*on->files, on->directory.log_path(), options, *snapshots, load, opened.disk, stop);
    if (!opened.disk.snapshot) {
      opened.machines = make_machines(services);
      opened.snapshot = {};
    }
    opened.snapshots = std::move(snapshots);
    if (as.backup != 0 && opened.disk.last_index == 0)
      throw raft::storage_error("cannot load the state restored from " + backup.string() +
                                (opened.disk.notes.empty() ? "" : ": " + opened.disk.notes.back()));
    // A member's log contains at least the first configuration, or begins after it. Without its log the node has
    // forgotten its votes, and must not vote. The promise to the formation is kept until the log exists.
    if (on->directory.cluster() && !on->directory.promise() && opened.disk.last_index == 0)
      throw raft::storage_error(
          "the log in " + on->directory.log_path().string() + " is gone, but this node is a member of cluster " +
          to_string(on->directory.cluster()) +
          ": it must not take part without its log. Remove the data directory to start as a new node");
    return opened;
  };
}

} // namespace troupe
