// Makes one backup, then ends.
//
//   (spawned) -- make_backup: an empty read --> [reading] -- it is served: take_snapshot --> [writing]
//      (gone) <-- the file is open for the origin <-- [opening] <-- the snapshot exists: open_backup --+
//
// After the deadline it answers with an error and leaves nothing open.
#pragma once

#include "actors/protocol/interfaces.hpp"

#include <troupe/requests.hpp>

namespace troupe {

struct backup_setup {
  cluster_id cluster;
  proxy_handle proxy;
  dispatcher_handle dispatcher;
  snapshot_store_handle snapshots;
};

using backup_handle = compat::handle<backup_made(make_backup)>;

/// Once a linearizable read is served here, this node has applied everything that was acknowledged before the request,
/// so a snapshot that is taken afterwards contains it.
class backup_job : public compat::typed_base<backup_handle> {
 public:
  backup_job(caf::actor_config& config, backup_setup setup);
  behavior_type make_behavior() override;
  const char* name() const override { return "backup"; }
  void on_end() override;

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
