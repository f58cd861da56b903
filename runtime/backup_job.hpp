// Makes one backup and is gone.
//
//   (spawned) -- make_backup: a read of nothing --> [reading] -- it is served: take_snapshot --> [writing]
//      (gone) <-- its file is open for the one who asked <-- [opening] <-- the snapshot is there: open_backup ---+
//
// After the deadline it answers with an error and leaves nothing open.
#pragma once

#include "actors/protocol/interfaces.hpp"
#include "runtime/node_requests.hpp"

namespace troupe {

struct backup_setup {
  cluster_id cluster;
  proxy_handle proxy;
  dispatcher_handle dispatcher;
  snapshot_store_handle snapshots;
};

using backup_handle = compat::handle<backup_made(make_backup)>;

/// When a linearizable read is served here, this node has applied everything that was acknowledged before the question;
/// so a snapshot that is taken then holds it.
class backup_job : public backup_handle::base {
 public:
  backup_job(caf::actor_config& config, backup_setup setup);
  behavior_type make_behavior() override;
  const char* name() const override { return "backup"; }
  void on_exit() override;

 private:
  caf::result<backup_made> begin(const make_backup& question);
  void go_on();
  void open(const raft::snapshot_id& taken);
  bool is_late() const { return clock().now() >= deadline_; }
  void fail_late();
  void fail(const caf::error& why);

  backup_setup setup_;
  int attempts_ = 0;
  std::chrono::milliseconds patience_{};
  raft::time_point deadline_;
  caf::typed_response_promise<backup_made> promise_;
};

} // namespace troupe
