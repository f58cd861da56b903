// The node's snapshots on disk: has them written, takes in those of leaders, hands out pieces to followers. On a thread
// of its own, as it blocks; the writing of a snapshot, which may take minutes, has yet another one.
//
//   [idle] -- write_snapshot: spawn a writer --> [writing] -- snapshot_written: drop old ones, tell role, dispatcher
//   --+
//     ^ |
//     +----------------------------------------------------------------------------------------------------------------+
//
// Beside that, pieces of a leader's snapshot: the first one begins it, each is answered with the offset that is due,
// the last one with the services' state. A trouble of the disk ends neither the store nor the node: the log goes on.
#pragma once

#include "actors/interfaces.hpp"

#include <deque>
#include <memory>
#include <vector>

namespace troupe {

struct snapshot_store_setup {
  std::shared_ptr<snapshot_files> files;
  std::vector<machine_factory> services;
  /// Writers get threads of their own; tests in virtual time do without.
  bool detach_writers = true;
};

class snapshot_store : public snapshot_store_handle::base {
 public:
  snapshot_store(caf::actor_config& config, snapshot_store_setup setup);
  behavior_type make_behavior() override;
  const char* name() const override { return "snapshot_store"; }
  void on_exit() override;

 private:
  void write(const write_snapshot& message);
  void written(const snapshot_written& message);
  void take_in(const raft::snapshot_request& piece);
  void take_in(const raft::snapshot_request& piece, piece_stored& answer);
  void load(const raft::snapshot_id& id, piece_stored& answer);
  raft::snapshot_piece piece(const raft::piece_request& question);
  snapshot_bytes* find(const raft::piece_request& question);

  snapshot_store_setup setup_;
  dispatcher_handle dispatcher_;
  role_handle role_;
  /// A leader's snapshot, as far as it is here.
  std::unique_ptr<snapshot_receiver> incoming_;
  raft::snapshot_id incoming_id_;
  /// Those that followers are being sent, newest use first: open, they outlive their removal.
  std::deque<std::unique_ptr<snapshot_bytes>> open_;
};

} // namespace troupe
