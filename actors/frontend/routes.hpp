// Where a proxy's commands go: who leads, and which nodes can be reached. Pure but for the handles it keeps.
#pragma once

#include "actors/protocol/interfaces.hpp"

#include <map>
#include <string>
#include <vector>

namespace troupe {

/// In a node the own role knows who leads, and a refusing peer's hint holds for a moment only. In a client hints are
/// all there is, and any node will do, for it forwards what it gets.
class routes {
 public:
  struct link {
    node_id peer;
    std::string address;
    endpoint_handle endpoint;
  };
  /// Nobody (false), this node (`here`), or the other end of a link, valid until the routes change.
  struct target {
    bool here = false;
    const link* peer = nullptr;
    explicit operator bool() const noexcept { return here || peer != nullptr; }
  };

  /// `self` is 0 in a client.
  routes(node_id self, std::string address) : self_(self), address_(std::move(address)) {}

  bool is_client() const noexcept { return !self_; }
  bool leading() const noexcept { return leading_; }
  /// Where to send commands now; nobody while a refusal is fresh and there is no other choice.
  target next() const;
  node_id leader() const;
  /// The newest one that was known and is not this node; of a node that hears of none any more.
  node_id last_leader() const noexcept { return last_; }
  /// Empty if it is not known.
  std::string address_of(node_id node) const;

  void link_up(const troupe::link_up& message);
  void link_down(node_id peer);
  void members_changed(const troupe::members_changed& message);
  bool has_links() const noexcept { return !links_.empty(); }
  const link* find(node_id peer) const;
  /// Whether the sender is an actor of this peer, or of any: nobody answers for another.
  bool is_of(node_id peer, const caf::strong_actor_ptr& sender) const;
  bool knows(const caf::strong_actor_ptr& sender) const;
  bool is_of_member(const caf::strong_actor_ptr& sender) const;

  void role_changed(const troupe::role_changed& message);
  void leader_known(const troupe::leader_known& message);
  void core_down();

  /// `by` did not take commands, and thinks that `hint` leads (0: it does not know).
  void refused(node_id by, node_id hint);
  /// An answer names the leader.
  void learned(node_id leader);
  /// Some time has passed since the last refusal: it is worth trying again.
  void retry();

 private:
  const link* any_link() const;
  target choose() const;

  node_id self_;
  std::string address_;
  std::vector<link> links_;
  /// Of the log's newest configuration, with their addresses.
  std::map<node_id, std::string> members_;
  bool leading_ = false;
  term_t term_ = 0;
  /// The leader of `term_` as the own role knows it.
  node_id known_;
  node_id last_;
  node_id hint_;
  /// Refused lately: others are tried first.
  node_id avoided_;
  bool redirected_ = false;
  bool held_ = false;
};

} // namespace troupe
