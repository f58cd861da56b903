// The actor around raft::formation, and the only writer of the node's identity. Spawned detached, since it waits for
// the disk.
//
//   [fresh] -- asked, or proposed --> [promised] -- every promise, or a configuration in the log --> [formed]
//      ^                                  |
//      +---- aborted by the proposer -----+        (these are raft::formation's states; the actor itself has only one)
#pragma once

#include "actors/cluster/identity_store.hpp"
#include "actors/protocol/interfaces.hpp"
#include "raft/membership/formation.hpp"

#include <map>
#include <memory>
#include <set>
#include <string>

namespace troupe {

struct formation_setup {
  /// This node's identity; state and cluster are filled in from the store.
  hello self;
  raft::bootstrap_rule rule;
  std::uint64_t seed = 0;
  std::shared_ptr<identity_store> store;
  links_handle links;
  membership_listener node;
};

/// Notifies `node` of the decision and `links` of the node's new identity. Ends with an error if the disk fails or
/// holds a promise that cannot be decoded.
class formation_actor : public compat::typed_base<formation_handle> {
 public:
  formation_actor(caf::actor_config& config, formation_setup setup);
  behavior_type make_behavior() override;
  const char* name() const override { return "formation"; }
  void on_end() override;

 private:
  raft::membership_record load() const;
  void run(const raft::formation_event& what);
  void carry_out(raft::formation_output out);
  void save(const raft::membership_record& next);
  void ask(const raft::addressed<propose_formation>& question);
  void announce();
  void note(const std::string& text, bool alarm);
  void arm();

  formation_setup setup_;
  std::unique_ptr<raft::formation> machine_;
  std::map<node_id, endpoint_handle> peers_;
  /// Nodes that were asked and have not answered yet.
  std::set<node_id> asked_;
  /// The answer to the request that is being handled.
  std::optional<formation_answer> answer_;
  std::string note_;
  membership_state announced_ = membership_state::fresh;
  cluster_id announced_cluster_;
  std::uint64_t generation_ = 0;
};

} // namespace troupe
