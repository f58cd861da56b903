#include "actors/cluster/endpoint.hpp"

#include "actors/cluster/peer_link.hpp"

#include <caf/scheduled_actor.hpp>

#include <algorithm>
#include <troupe/log.hpp>
#include <utility>

namespace troupe {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t max_logged_refusals = 256;

} // namespace

endpoint::endpoint(caf::actor_config& config, hello self, proxy_handle proxy, formation_handle formation,
                   links_handle links, health_monitor_handle health)
    : compat::typed_base<endpoint_handle>(config), self_(std::move(self)), proxy_(std::move(proxy)),
      formation_(std::move(formation)), links_(std::move(links)), health_(std::move(health)) {
  drop_unexpected();
  // Any process on the network can send exit messages: obey only those of this process.
  set_exit_handler([this](caf::exit_msg& m) {
    if (m.source && m.source.node() != system().node()) return;
    quit(std::move(m.reason));
  });
}

endpoint_handle::behavior_type endpoint::make_behavior() {
  send(links_, watch_peers{peers_watcher{this}});
  return {
      [this](const hello& m) { return greet(m); },
      [this](const client_hello& m) { return welcome(m); },
      [this](propose_formation& m) { return delegate(formation_, std::move(m)); },
      [this](abort_formation& m) { send(formation_, std::move(m)); },
      [this](raft::vote_request& m) { to_role(m); },
      [this](raft::vote_response& m) { to_role(m); },
      [this](raft::append_request& m) {
        check_invitation(m.head);
        to_role(m);
      },
      [this](raft::append_response& m) { route(m); },
      [this](raft::snapshot_request& m) { to_role(m); },
      [this](raft::snapshot_response& m) { route(m); },
      [this](raft::timeout_now& m) { to_role(m); },
      [this](raft::removed_notice& m) { to_role(m); },
      [this](raft::removed_answer& m) { to_role(m); },
      [this](raft::probe& m) { send(health_, std::move(m)); },
      [this](raft::probe_ack& m) { send(health_, std::move(m)); },
      [this](raft::probe_request& m) { send(health_, std::move(m)); },
      [this](command_batch& m) { delegate(proxy_, std::move(m)); },
      [this](read_index_request& m) { delegate(proxy_, std::move(m)); },
      [this](stage_chunk& m) { return stage(m); },
      [this](const flow_mark& m) {
        send(proxy_, m);
        if (role_) send(role_, m);
      },
      [this](const role_changed& m) { follow(m); },
      [this](const replicator_started& m) { follow(m); },
      [this](const leader_known& m) { leader_ = m.leader; },
      [this](const replica_down&) {
        // Clients must not be redirected to an outdated leader.
        leader_ = {};
        role_ = nullptr;
      },
      [this](const peers_view& m) {
        self_ = m.self;
        peers_ = m;
      },
      [this](const staging_known& m) { staging_ = m.staging; },
  };
}

void endpoint::on_end() {
  if (dropped_ > 0) log().info("dropped {} messages for other nodes or clusters", dropped_);
  proxy_ = nullptr;
  formation_ = nullptr;
  links_ = nullptr;
  health_ = nullptr;
  staging_ = nullptr;
  role_ = nullptr;
  peers_ = {};
  replicators_.clear();
}

hello endpoint::greet(const hello& peer) {
  auto answer = self_;
  if (peer.node == self_.node && peer.incarnation == self_.incarnation) return answer;
  answer.refusal = objection(peer);
  if (!answer.refusal.empty())
    log_refusal(answer.refusal);
  else
    send(links_, peer_seen{peer});
  return answer;
}

std::string endpoint::objection(const hello& peer) const {
  if (auto problem = objection_to(peer, self_); !problem.empty()) return problem;
  for (const auto& [who, handle] : peers_.peers)
    if (who.node == peer.node && who.incarnation != peer.incarnation)
      return "node " + to_string(peer.node) + " is already linked as another process: its data directory was copied, " +
             "or its restart has not been noticed yet";
  return {};
}

client_welcome endpoint::welcome(const client_hello& client) const {
  client_welcome answer;
  answer.node = self_.node;
  if (client.protocol != self_.protocol) {
    answer.refusal = "speaks protocol " + std::to_string(client.protocol) + ", but this node speaks protocol " +
                     std::to_string(self_.protocol);
    return answer;
  }
  answer.cluster = self_.cluster;
  answer.leader = leader_;
  answer.leader_address = address_of(leader_);
  answer.members = peers_.members;
  for (auto& m : answer.members)
    if (auto newest = address_of(m.id); !newest.empty()) m.address = std::move(newest);
  return answer;
}

/// The address that the node itself reports; else its address in the configuration; empty if neither is known.
std::string endpoint::address_of(node_id id) const {
  if (id == self_.node) return self_.address;
  for (const auto& [who, handle] : peers_.peers)
    if (who.node == id) return who.address;
  for (const auto& m : peers_.members)
    if (m.id == id) return m.address;
  return {};
}

bool endpoint::for_us(const raft::header& head) {
  const bool ours = self_.cluster && head.cluster == self_.cluster && head.to == self_.node;
  if (!ours) ++dropped_;
  return ours;
}

/// A leader sends entries to members only, so an append request from a member of a cluster invites this fresh node.
void endpoint::check_invitation(const raft::header& head) {
  if (self_.state != membership_state::fresh || head.to != self_.node || !head.cluster) return;
  const bool of_member = std::any_of(peers_.peers.begin(), peers_.peers.end(), [&](const auto& peer) {
    return peer.who.node == head.from && peer.who.state == membership_state::formed && peer.who.cluster == head.cluster;
  });
  if (of_member) send(formation_, invited{head.cluster, head.from});
}

/// Only members may use this node's disk. A new member may already send chunks before this node knows of its
/// membership; `not_ready` makes it retry.
caf::result<chunk_staged> endpoint::stage(stage_chunk& chunk) {
  const auto from = current_sender();
  const auto is_member = [&](node_id id) {
    return std::any_of(peers_.members.begin(), peers_.members.end(), [&](const auto& m) { return m.id == id; });
  };
  const bool known = self_.cluster && chunk.cluster == self_.cluster && from &&
                     std::any_of(peers_.peers.begin(), peers_.peers.end(), [&](const auto& peer) {
                       return peer.endpoint.node() == from->node() && is_member(peer.who.node);
                     });
  if (!known) {
    ++dropped_;
    return chunk_staged{chunk.backup, 0, errc::not_ready, "this node accepts backups only from members of its cluster"};
  }
  if (!staging_) return chunk_staged{chunk.backup, 0, errc::not_ready, "this node is starting or stopping"};
  return delegate(staging_, std::move(chunk));
}

template <class Message> void endpoint::to_role(Message& m) {
  if (role_ && for_us(m.head)) send(role_, std::move(m));
}

template <class Response> void endpoint::route(Response& m) {
  if (!role_ || !for_us(m.head)) return;
  if (const auto found = replicators_.find({m.head.term, m.head.from}); found != replicators_.end())
    send(found->second, std::move(m));
  else if (m.head.term > term_)
    send(role_, std::move(m));
}

void endpoint::follow(const role_changed& m) {
  if (m.epoch > epoch_ || !role_) {
    epoch_ = m.epoch;
    role_ = m.role;
    // The newest role's term is right even if it is lower: a term that never reached the disk was lost with its role.
    term_ = m.term;
    replicators_.clear();
  }
  if (m.previous) send(m.previous, drained{m.retiring});
}

void endpoint::follow(const replicator_started& m) {
  rise_to(m.term);
  if (m.term == term_) replicators_[{m.term, m.peer}] = m.replicator;
}

void endpoint::rise_to(term_t term) {
  if (term <= term_) return;
  term_ = term;
  replicators_.clear();
}

/// Logs at error level, but rate-limited, so that strangers cannot fill the disk.
void endpoint::log_refusal(const std::string& reason) {
  if (refusals_logged_.size() >= max_logged_refusals && !refusals_logged_.contains(reason)) refusals_logged_.clear();
  const auto now = clock().now();
  const auto [last, first] = refusals_logged_.emplace(reason, now);
  if (!first && now - last->second < 1s) return;
  last->second = now;
  log().error("refused a peer: {}", reason);
}

} // namespace troupe
