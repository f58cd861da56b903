// The node's snapshots on disk: has them written, takes in those of leaders, hands out pieces to followers. On a thread
// of its own, as it blocks; what takes minutes (snapshot_jobs.hpp) has yet others.
//
//   [serving] -- write_snapshot: spawn a job ... snapshot_written: drop old ones, tell role and dispatcher
//       |     -- doubt_snapshot: spawn a job ... snapshot_checked: set a damaged one aside, tell dispatcher
//       |     -- pieces of a leader's snapshot: each is answered with the offset that is due, the last one with the
//       |        services' state; one that is not gone on with for a minute is dropped. It gets its name only once the
//       |        services have loaded it. After a temporary error a piece is not answered, and the leader sends it
//       again |     -- open_backup: a file stays open for one reader, until it closes it or asks for nothing for a
//       minute
//       +- exit --> [leaving: jobs are told to stop] -- the last one ended --> (gone)
//
// A trouble of the disk ends neither the store nor the node: the log goes on.
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
  /// Is told of every snapshot that is taken; may be nobody.
  staging_handle staging;
  /// Jobs get threads of their own; tests in virtual time do without.
  bool detach_jobs = true;
};

class snapshot_store : public snapshot_store_handle::base {
 public:
  snapshot_store(caf::actor_config& config, snapshot_store_setup setup);
  behavior_type make_behavior() override;
  const char* name() const override { return "snapshot_store"; }
  void on_exit() override;

 private:
  template <class Job, class What> void begin(const What& what);
  void cannot_begin(const write_snapshot& what, const std::string& why);
  void cannot_begin(const raft::snapshot_id& what, const std::string& why);
  void job_ended();
  void leave(const caf::error& reason);
  void written(const snapshot_written& message);
  void check(const raft::snapshot_id& id);
  void checked(const snapshot_checked& result);
  void take_in(const raft::snapshot_request& piece);
  void take_in(const raft::snapshot_request& piece, piece_stored& answer);
  /// One that has its name already.
  machine_set load_again(const raft::snapshot_id& id, raft::snapshot_point& at);
  void give_up(const raft::snapshot_id& id, const raft::storage_error& why);
  void prune();
  void answer_loaded(const raft::snapshot_id& id, const raft::snapshot_point& at, machine_set machines,
                     piece_stored& answer);
  backup_opened open_for_reader(const raft::snapshot_id& id);
  caf::result<raft::snapshot_piece> read_for_reader(const read_backup& question);
  void on_time();
  void arm_timer();
  raft::snapshot_piece piece(const raft::piece_request& question);
  raft::snapshot_id choose(const raft::piece_request& question);
  snapshot_bytes& opened(const raft::snapshot_id& id);

  snapshot_store_setup setup_;
  dispatcher_handle dispatcher_;
  role_handle role_;
  std::size_t jobs_ = 0;
  std::shared_ptr<std::atomic<bool>> stop_jobs_ = std::make_shared<std::atomic<bool>>(false);
  /// Set when this actor is to end as soon as no job is left.
  std::optional<caf::error> leaving_;
  /// A leader's.
  incoming_snapshot incoming_;
  timer_slot timer_;
  /// Being read because it is in doubt; and the last one that turned out whole.
  raft::snapshot_id checking_;
  raft::snapshot_id whole_;
  /// Those that followers are being sent, newest use first: open, they outlive their removal.
  std::deque<std::unique_ptr<snapshot_bytes>> open_;
  /// Backups that are being downloaded, each with a file of its own.
  struct download {
    std::unique_ptr<snapshot_bytes> bytes;
    raft::time_point asked;
  };
  std::map<std::uint64_t, download> downloads_;
  std::uint64_t last_download_ = 0;
};

} // namespace troupe
