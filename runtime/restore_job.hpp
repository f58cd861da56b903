// Restores one backup into the running cluster, then ends.
//
//   (spawned) -- make_restore: an empty read --> [reading] -- it is served --> [staging]
//   [staging] each voter, this node first: ask for the offset that it expects, send one chunk at a time, until it holds
//   all [staging] -- a quorum of voters holds the backup, and no transfer runs --> [proposing] -- the command's outcome
//   --> (gone)
#pragma once

#include "actors/protocol/interfaces.hpp"
#include "actors/protocol/timer_slot.hpp"
#include "runtime/proxy_question.hpp"

#include <map>
#include <optional>
#include <string>
#include <troupe/requests.hpp>

namespace troupe {

/// Who knows the members and the length of the log.
using role_reporter_handle = compat::handle<role_report(get_role_report)>;

struct restore_setup {
  node_id self;
  cluster_id cluster;
  role_reporter_handle node;
  proxy_handle proxy;
  links_handle links;
  staging_handle staging;
  /// Limit of the rate at which one voter is sent the backup; 0: no limit.
  std::uint64_t bytes_per_second = 0;
};

using restore_handle = compat::handle<restore_made(make_restore), void(link_up), void(link_down), void(timer)>;

/// Why a quorum must hold the backup: a leader that is elected later has the votes of a quorum, and any two quorums
/// overlap. So a new leader always has a voter that holds the backup (docs/architecture.md, "A backup").
class restore_job : public compat::typed_base<restore_handle> {
 public:
  restore_job(caf::actor_config& config, restore_setup setup);
  behavior_type make_behavior() override;
  const char* name() const override { return "restore"; }
  void on_end() override;

 private:
  /// A node that holds the backup, or must get it.
  struct holder {
    /// A request to the node is outstanding.
    bool busy = false;
    /// The node is not asked before this time.
    raft::time_point again{};
    /// When the node last confirmed that it holds the whole backup.
    std::optional<raft::time_point> held;
    /// Why the backup cannot be sent to the node now. With `refused`, the node will never accept it.
    std::string problem;
    bool refused = false;
  };

  caf::result<restore_made> begin(const make_restore& question);
  template <class Use> void ask_cluster(const ask_proxy& what, Use use);
  void begin_staging();
  /// Asks the role for the members and the last index of the log; `use` gets the answer.
  template <class Use> void ask_role(Use use);
  void learn_voters(const raft::configuration& members);
  void on_timer(const timer& message);
  void look_after(node_id id, holder& h);
  void ask(node_id id, stage_chunk what);
  void answered(node_id id, const chunk_staged& answer);
  void failed_at(node_id id, std::string problem, bool for_good);
  void send_chunk(node_id id, std::uint64_t offset);
  void consider();
  void propose();
  void fail(const error_info& why);
  /// The node's replica, or this actor, ended before the answer.
  error_info cut_short() const;
  bool holds(node_id id) const;
  std::string missing() const;

  restore_setup setup_;
  raft::snapshot_id backup_;
  raft::configuration members_;
  std::map<node_id, holder> holders_;
  std::map<node_id, endpoint_handle> linked_;
  raft::time_point deadline_;
  timer_slot timer_;
  bool staging_ = false;
  bool watching_ = false;
  /// The restore command was sent: its entry may be in the log, or get there.
  bool proposed_ = false;
  caf::typed_response_promise<restore_made> promise_;
};

} // namespace troupe
