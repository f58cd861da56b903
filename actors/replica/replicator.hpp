// The actor around one pure replicator: the part of a leader's work that concerns one peer. It ends with its leader.
//
//   (spawned by the leader) --> [running] --- the leader retires or dies --> (gone)
//
// It gets snapshot chunks from the snapshot store, and entries from the leader.
#pragma once

#include "actors/protocol/interfaces.hpp"
#include "actors/protocol/timer_slot.hpp"
#include "raft/replicator.hpp"

namespace troupe {

struct replicator_context {
  epoch_t epoch = 0;
  links_handle links;
  role_handle leader;
  snapshot_store_handle snapshots;
};

class replicator_shell : public compat::typed_base<replicator_handle> {
 public:
  replicator_shell(caf::actor_config& config, replicator_context context, raft::replicator_seed seed);
  behavior_type make_behavior() override;
  const char* name() const override { return "replicator"; }
  void on_end() override { context_ = {}; }

 private:
  void step(const raft::replicator_event& event);
  void trace_step(const std::string& event, const raft::replicator_output& out) const;
  void execute(raft::replicator_output&& out);

  replicator_context context_;
  node_id self_;
  node_id peer_;
  raft::replicator replicator_;
  timer_slot timer_;
};

} // namespace troupe
