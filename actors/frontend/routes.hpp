// Chooses where a proxy sends its commands, given the leader and the links. Pure except for the handles that it holds.
#pragma once

#include "actors/protocol/interfaces.hpp"

#include <map>
#include <string>
#include <vector>

namespace troupe {

/// In a node, the node's own role knows the leader, and the hint of a peer that rejected commands is valid only until
/// the next retry. A client has only hints, and can use any node, because nodes forward commands.
class routes {
 public:
  struct link {
    node_id peer;
    std::string address;
    endpoint_handle endpoint;
  };
  /// No node (converts to false), this node (`here`), or the other end of a link. Valid until the routes change.
  struct target {
    bool here = false;
    const link* peer = nullptr;
    explicit operator bool() const noexcept { return here || peer != nullptr; }
  };

  /// `self` is 0 in a client.
  routes(node_id self, std::string address) : self_(self), address_(std::move(address)) {}

  bool is_client() const noexcept { return !self_; }
  bool leading() const noexcept { return leading_; }
  /// Where to send commands now. No node if there is no other choice than one that has just rejected commands.
  target next() const;
  node_id leader() const;
  /// The last known leader other than this node. For a removed node, which does not learn of new leaders.
  node_id last_leader() const noexcept { return last_; }
  /// Empty if the address is not known.
  std::string address_of(node_id node) const;

  void link_up(const troupe::link_up& message);
  void link_down(node_id peer);
  void members_changed(const troupe::members_changed& message);
  bool has_links() const noexcept { return !links_.empty(); }
  const link* find(node_id peer) const;
  /// Whether the sender is an actor of this peer, of any linked peer, or of a linked member. Such checks keep a node
  /// from answering for another.
  bool is_of(node_id peer, const caf::strong_actor_ptr& sender) const;
  bool knows(const caf::strong_actor_ptr& sender) const;
  bool is_of_member(const caf::strong_actor_ptr& sender) const;

  void role_changed(const troupe::role_changed& message);
  void leader_known(const troupe::leader_known& message);
  void replica_down();

  /// `by` rejected commands, and names `hint` as the leader (0: it does not know).
  void refused(node_id by, node_id hint);
  /// An answer names the leader.
  void learned(node_id leader);
  /// Forgets rejections. Called when some time has passed since the last one, or when the routes changed.
  void retry();

 private:
  const link* any_link() const;
  target choose() const;

  node_id self_;
  std::string address_;
  std::vector<link> links_;
  /// The members of the log's newest configuration, with their addresses.
  std::map<node_id, std::string> members_;
  bool leading_ = false;
  term_t term_ = 0;
  /// The leader of `term_` that this node's role knows.
  node_id known_;
  node_id last_;
  /// The leader that another node named.
  node_id hint_;
  /// It rejected commands lately, so other nodes are tried first.
  node_id avoided_;
  /// A hint was followed since the last retry.
  bool redirected_ = false;
  /// Commands wait for the next retry.
  bool held_ = false;
};

} // namespace troupe
