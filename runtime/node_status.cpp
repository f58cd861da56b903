#include "runtime/node_status.hpp"

#include <algorithm>
#include <troupe/printable.hpp>
#include <utility>

namespace troupe {
namespace {

/// Limits that keep the text readable; the log has the rest.
constexpr std::size_t max_problems = 8;
constexpr std::size_t max_problem = 200;

/// How many voters answer, including this node, and how many a leader needs.
std::string voters_that_answer(const std::vector<member_status>& members) {
  std::size_t voters = 0, heard = 0;
  for (const auto& m : members) {
    if (!m.voter) continue;
    ++voters;
    if (m.reachable) ++heard;
  }
  if (voters == 0) return {};
  return std::to_string(heard) + " of " + std::to_string(voters) + (voters == 1 ? " voter" : " voters") +
         (heard == 1 ? " answers, " : " answer, ") + std::to_string(voters / 2 + 1) + " needed";
}

void describe_members(node_status& now, const status_reports& reports, const node_setup& setup,
                      const losses_by_member& losses) {
  const auto& c = reports.role.members;
  for (const auto& m : c.members()) {
    const bool self = m.id == setup.id;
    member_status member{m.id, self ? setup.address : m.address, c.is_voter(m.id), self, false, {}, 0, {}};
    member.joining = std::any_of(c.promotions.begin(), c.promotions.end(),
                                 [&](const raft::promotion& p) { return p.learner == m.id && !p.standby; });
    for (const auto& h : reports.health.peers)
      if (h.id == m.id) member.health = h;
    if (const auto lost = losses.find(m.id); lost != losses.end()) {
      member.losses = lost->second.count;
      member.last_loss = lost->second.last;
    }
    for (const auto& peer : reports.peers.peers) {
      // A node may be listed under several addresses, of which one is used. This also holds for this node itself.
      if (peer.id != m.id || m.id == setup.id || !peer.up) continue;
      member.address = peer.address;
      member.reachable = true;
    }
    if (m.id == now.role->leader) now.leader_address = member.address;
    now.members.push_back(std::move(member));
  }
}

void judge(node_status& now, const status_reports& reports, const node_setup& setup, index_t removed_at,
           raft::time_point at) {
  const auto& role = reports.role;
  const auto& peers = reports.peers;
  const auto patience = 2 * setup.raft.election_max;
  if (role.disk_full) {
    now.disk = disk_state::full;
    now.disk_error = "no room for the next file of the log";
  }
  if (role.disk_stalled) {
    now.disk = disk_state::stalled;
    now.disk_error = "a write has waited for " + in_ms(*role.disk_stalled);
  }
  const auto late = std::max(role.behind, reports.applied.behind);
  const auto most = setup.ready_lag.count() > 0 ? raft::duration{setup.ready_lag} : 5 * setup.raft.election_max;
  const auto& waiting = role.members.promotions;
  const bool joins =
      std::any_of(waiting.begin(), waiting.end(), [&](const auto& p) { return p.learner == setup.id && !p.standby; });
  if (removed_at > 0) {
    now.not_ready = "this node was removed from the cluster by the configuration at " + std::to_string(removed_at);
  } else if (role.role.state_lost) {
    now.not_ready = "no usable state (damaged snapshot or missing backup): waiting for another node's snapshot";
  } else if (role.disk_stalled) {
    now.not_ready = "the disk does not answer: " + now.disk_error;
  } else if (role.disk_full) {
    now.not_ready = "the disk is full: " + now.disk_error;
  } else if (!role.role.leader) {
    now.not_ready = "no leader is known: " + voters_that_answer(now.members) + problems_of(peers);
  } else if (!role.leader_heard || at - *role.leader_heard > patience) {
    now.not_ready =
        "the leader has been silent for more than two election timeouts: " + voters_that_answer(now.members) +
        problems_of(peers);
  } else if (joins) {
    now.not_ready = "joining the cluster: becomes a voter when it has caught up and enough voters answer";
  } else if (!role.ready_at || now.applied < *role.ready_at) {
    now.not_ready = "catching up with the commit index seen at the first contact with the leader";
  } else if (role.role.installing) {
    now.not_ready = "receiving a snapshot from the leader";
  } else if (late > most) {
    now.not_ready = "behind: entries known to be committed " + in_ms(late) + " ago are not applied";
  } else {
    now.ready = true;
  }
}

} // namespace

std::string problems_of(const peer_list& peers) {
  std::string text;
  std::size_t count = 0;
  for (const auto& peer : peers.peers) {
    if (peer.up || peer.self || peer.problem.empty()) continue;
    if (++count > max_problems) continue;
    text += "; " + peer.address + ": " + printable(peer.problem, max_problem);
  }
  return count > max_problems ? text + "; and " + std::to_string(count - max_problems) + " more" : text;
}

std::string in_ms(raft::duration time) {
  return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(time).count()) + " ms";
}

void complete_status(node_status& now, const status_reports& reports, const node_setup& setup,
                     const losses_by_member& losses, index_t removed_at, raft::time_point at) {
  now.role = reports.role.role;
  now.applied = reports.applied.applied;
  now.snapshot = reports.applied.snapshot;
  now.snapshot_error = reports.applied.snapshot_error;
  now.state_bytes = reports.applied.state_bytes;
  describe_members(now, reports, setup, losses);
  judge(now, reports, setup, removed_at, at);
}

} // namespace troupe
