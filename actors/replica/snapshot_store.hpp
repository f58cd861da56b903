// The node's snapshots on disk. The store has snapshots written, receives those of leaders, and reads chunks for
// followers and for backup downloads. It runs on its own thread, since it blocks on the disk. Work that may take
// minutes (snapshot_jobs.hpp) runs on further threads.
//
//   [serving] -- write_snapshot: spawn a job ... snapshot_written: remove old ones, notify role and dispatcher
//       |     -- check_snapshot: spawn a job ... snapshot_checked: quarantine a damaged one, notify the dispatcher
//       |     -- store_chunk: answer with the next expected offset; for the last chunk, with the services' state
//       |     -- open_backup: keep a file open for one reader, until it closes the file or reads nothing for a minute
//       |
//       +- exit --> [leaving: jobs are asked to stop] -- the last job ended --> (gone)
//
// A received snapshot gets its final name only after the services have loaded it. A transfer without data for a minute
// is abandoned. When storing a chunk fails, the answer says so. After a temporary error the received part is kept, and
// the leader's next request resumes from there.
//
// A disk error ends neither the store nor the node: the log continues to work.
#pragma once

#include "actors/protocol/interfaces.hpp"
#include "actors/protocol/timer_slot.hpp"
#include "actors/replica/incoming_snapshot.hpp"
#include "actors/replica/snapshot_jobs.hpp"

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace troupe {

struct snapshot_store_setup {
  std::shared_ptr<snapshot_files> files;
  std::vector<machine_factory> services;
  /// Notified of every snapshot that is taken; may be null.
  staging_handle staging;
  /// Downloads of backups are numbered from the next one on.
  std::uint64_t last_download = 0;
  /// Each job gets its own thread. Tests in virtual time turn this off.
  bool detach_jobs = true;
};

class snapshot_store : public compat::typed_base<snapshot_store_handle> {
 public:
  snapshot_store(caf::actor_config& config, snapshot_store_setup setup);
  behavior_type make_behavior() override;
  const char* name() const override { return "snapshot_store"; }
  void on_end() override;

 private:
  template <class Job, class What> void begin(const What& what);
  void cannot_begin(const write_snapshot& what, const std::string& why);
  void cannot_begin(const raft::snapshot_id& what, const std::string& why);
  void job_ended();
  void leave(const caf::error& reason);
  void written(const snapshot_written& message);
  void check(const raft::snapshot_id& id);
  void checked(const snapshot_checked& result);
  void take_in(const raft::snapshot_request& chunk);
  void take_in(const raft::snapshot_request& chunk, chunk_stored& answer);
  /// Loads a snapshot that is already complete on disk.
  machine_set load_again(const raft::snapshot_id& id, raft::snapshot_point& at);
  void discard_unloadable(const raft::snapshot_id& id, const raft::storage_error& why);
  void prune();
  void answer_loaded(const raft::snapshot_id& id, const raft::snapshot_point& at, machine_set machines,
                     chunk_stored& answer);
  backup_opened open_for_reader(const raft::snapshot_id& id);
  caf::result<backup_chunk> read_for_reader(const read_backup& question);
  void on_time();
  void arm_timer();
  raft::snapshot_chunk chunk(const raft::chunk_request& question);
  raft::snapshot_id choose(const raft::chunk_request& question);
  snapshot_bytes& opened(const raft::snapshot_id& id);

  snapshot_store_setup setup_;
  dispatcher_handle dispatcher_;
  role_handle role_;
  std::size_t jobs_ = 0;
  std::shared_ptr<std::atomic<bool>> stop_jobs_ = std::make_shared<std::atomic<bool>>(false);
  /// Set when this actor must end as soon as the last job has ended.
  std::optional<caf::error> leaving_;
  /// The snapshot that a leader is sending.
  incoming_snapshot incoming_;
  timer_slot timer_;
  /// The snapshot that is being checked for damage, and the last one that was found undamaged.
  raft::snapshot_id checking_;
  raft::snapshot_id whole_;
  /// Snapshots being sent to followers, most recently used first. An open file stays readable after its removal.
  std::deque<std::unique_ptr<snapshot_bytes>> open_;
  /// Backups that are being downloaded, each with its own open file.
  struct download {
    std::unique_ptr<snapshot_bytes> bytes;
    raft::time_point asked;
  };
  std::map<std::uint64_t, download> downloads_;
};

} // namespace troupe
