#include "actors/frontend/routes.hpp"

#include <algorithm>

namespace troupe {

const routes::link* routes::find(node_id peer) const {
  const auto found = std::find_if(links_.begin(), links_.end(), [&](const link& l) { return l.peer == peer; });
  return found == links_.end() ? nullptr : &*found;
}

bool routes::is_of(node_id peer, const caf::strong_actor_ptr& sender) const {
  const auto* there = find(peer);
  return sender && there && sender->node() == there->endpoint.node();
}

bool routes::knows(const caf::strong_actor_ptr& sender) const {
  return std::any_of(links_.begin(), links_.end(), [&](const link& l) { return is_of(l.peer, sender); });
}

bool routes::is_of_member(const caf::strong_actor_ptr& sender) const {
  return std::any_of(links_.begin(), links_.end(),
                     [&](const link& l) { return members_.contains(l.peer) && is_of(l.peer, sender); });
}

const routes::link* routes::any_link() const {
  for (const auto& l : links_)
    if (l.peer != avoided_) return &l;
  return links_.empty() ? nullptr : &links_.front();
}

routes::target routes::choose() const {
  if (leading_) return {true, nullptr};
  const auto* found = hint_ ? find(hint_) : nullptr;
  if (!found && is_client()) found = any_link();
  if (!found && known_) found = find(known_);
  return {false, found};
}

routes::target routes::next() const { return held_ ? target{} : choose(); }

node_id routes::leader() const {
  if (leading_) return self_;
  return known_ ? known_ : hint_;
}

std::string routes::address_of(node_id node) const {
  if (node == self_) return node ? address_ : std::string{};
  if (const auto* found = find(node)) return found->address;
  const auto member = members_.find(node);
  return member == members_.end() ? std::string{} : member->second;
}

void routes::link_up(const troupe::link_up& message) {
  link_down(message.peer.node);
  links_.push_back({message.peer.node, message.peer.address, message.endpoint});
  retry();
}

void routes::link_down(node_id peer) {
  std::erase_if(links_, [&](const link& l) { return l.peer == peer; });
}

void routes::members_changed(const troupe::members_changed& message) {
  members_.clear();
  for (const auto& m : message.members) members_.insert_or_assign(m.id, m.address);
}

void routes::role_changed(const troupe::role_changed& message) {
  leading_ = message.kind == raft::role_kind::leader;
  // The leader of this term may have become known before the role changed. The leader of a new term is unknown.
  if (message.term != term_ || known_ == self_) known_ = {};
  if (leading_) known_ = self_;
  term_ = message.term;
  retry();
}

void routes::leader_known(const troupe::leader_known& message) {
  if (is_client()) return learned(message.leader);
  if (message.term < term_) return;
  term_ = message.term;
  known_ = message.leader;
  if (known_ && known_ != self_) last_ = known_;
  retry();
}

void routes::replica_down() {
  leading_ = false;
  known_ = {};
  retry();
}

void routes::refused(node_id by, node_id hint) {
  const auto asked = choose();
  if (asked.here ? by != self_ : !asked.peer || asked.peer->peer != by) return; // commands go elsewhere by now
  if (hint_ == by) hint_ = {};
  avoided_ = by;
  if (!redirected_ && hint && hint != by && hint != self_ && find(hint)) hint_ = hint;
  // Two nodes may name each other as leader for a while, so the route follows one hint and then pauses.
  const auto instead = choose();
  held_ = redirected_ || !instead || instead.here || instead.peer->peer == by;
  redirected_ = true;
}

void routes::learned(node_id leader) {
  if (!is_client() || !leader || leader == hint_) return;
  hint_ = leader;
  held_ = false;
}

void routes::retry() {
  if (!is_client()) hint_ = {};
  avoided_ = {};
  redirected_ = false;
  held_ = false;
}

} // namespace troupe
