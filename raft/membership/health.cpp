#include "raft/membership/health.hpp"

#include <algorithm>
#include <utility>

namespace troupe::raft {

health::health(node_id self, cluster_id cluster, health_options opts, std::uint64_t seed, time_point now)
    : self_(self), cluster_(cluster), opts_(opts), random_(seed), next_round_(now) {}

void health::watch(const std::vector<node_id>& peers, time_point now) {
  std::erase_if(peers_, [&](const auto& p) { return std::find(peers.begin(), peers.end(), p.first) == peers.end(); });
  for (const auto id : peers)
    if (id != self_) peers_.try_emplace(id, watched{failure_detector{opts_.interval, now}, {}, 0, 0, {}});
}

health_output health::step(const health_message& what, time_point now) {
  health_output out;
  std::visit(
      [&](const auto& m) {
        if (m.cluster == cluster_ && m.to == self_) on(m, now, out);
      },
      what);
  return out;
}

health_output health::tick(time_point now) {
  health_output out;
  if (now < next_round_) return out;
  // This process was stopped or its machine was suspended: signs of life of the others have not been read yet.
  if (const auto late = now - next_round_; late > 2 * opts_.interval)
    for (auto& [id, peer] : peers_) peer.detector.forgive(late, now);
  judge(now, out);
  for (auto& [id, peer] : peers_) {
    if (peer.answered < peer.sent) ask_others(id, out);
    out.send.push_back(probe{cluster_, self_, id, ++peer.sent});
  }
  next_round_ = now + random_.between(opts_.interval * 9 / 10, opts_.interval * 11 / 10);
  return out;
}

void health::on(const probe& what, time_point now, health_output& out) {
  out.send.push_back(probe_ack{cluster_, self_, what.from, self_, what.number});
  heard(what.from, now, out);
}

void health::on(const probe_ack& what, time_point now, health_output& out) {
  heard(what.from, now, out);
  if (what.about != what.from) return heard(what.about, now, out);
  const auto peer = peers_.find(what.from);
  if (peer == peers_.end() || what.number > peer->second.sent) return;
  peer->second.answered = std::max(peer->second.answered, what.number);
  for (const auto requester : std::exchange(peer->second.requesters, {}))
    out.send.push_back(probe_ack{cluster_, self_, requester, what.from, 0});
}

void health::on(const probe_request& what, time_point now, health_output& out) {
  heard(what.from, now, out);
  const auto target = peers_.find(what.target);
  // Only for watched peers, so that requests from other nodes cost nothing.
  if (target == peers_.end() || !peers_.contains(what.from)) return;
  auto& requesters = target->second.requesters;
  if (std::find(requesters.begin(), requesters.end(), what.from) == requesters.end()) requesters.push_back(what.from);
  out.send.push_back(probe{cluster_, self_, what.target, target->second.sent});
}

void health::heard(node_id id, time_point now, health_output& out) {
  const auto peer = peers_.find(id);
  if (peer == peers_.end()) return;
  peer->second.detector.heard(now);
  if (std::exchange(peer->second.state, peer_state::alive) != peer_state::alive)
    out.changes.push_back({id, peer_state::alive});
}

void health::ask_others(node_id target, health_output& out) {
  std::vector<node_id> others;
  for (const auto& [id, peer] : peers_)
    if (id != target && peer.state == peer_state::alive) others.push_back(id);
  for (std::size_t asked = 0; asked < opts_.helpers && !others.empty(); ++asked) {
    const auto chosen = others.begin() + static_cast<std::ptrdiff_t>(random_.next() % others.size());
    out.send.push_back(probe_request{cluster_, self_, *chosen, target});
    others.erase(chosen);
  }
}

void health::judge(time_point now, health_output& out) {
  for (auto& [id, peer] : peers_) {
    const auto suspicion = peer.detector.suspicion(now);
    const auto found = suspicion >= opts_.dead      ? peer_state::dead
                       : suspicion >= opts_.suspect ? peer_state::suspect
                                                    : peer_state::alive;
    if (std::exchange(peer.state, found) != found) out.changes.push_back({id, found});
  }
}

std::vector<peer_health> health::view(time_point now) const {
  std::vector<peer_health> all;
  for (const auto& [id, peer] : peers_)
    all.push_back({id, peer.state, peer.detector.suspicion(now),
                   std::max<duration>(now - peer.detector.last_heard(), duration::zero()),
                   peer.sent - peer.answered <= 1});
  return all;
}

} // namespace troupe::raft
