// The part of a node's supervisor that reports its status.
#include "runtime/node_actor.hpp"

#include <algorithm>
#include <troupe/printable.hpp>
#include <utility>

namespace troupe {
namespace {

/// Limits that keep the text readable; the log has the rest.
constexpr std::size_t max_problems = 8;
constexpr std::size_t max_problem = 200;

/// The addresses that do not answer, each with its latest problem.
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

/// Formation answers from memory. It is late only if it hangs in a disk call.
constexpr auto formation_patience = std::chrono::seconds{1};

std::string in_ms(raft::duration time) {
  return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(time).count()) + " ms";
}

} // namespace

caf::result<node_status> node_actor::status() {
  node_status now;
  now.id = setup_.id;
  now.cluster = membership_.cluster;
  now.address = setup_.address;
  now.phase = phase_;
  now.max_state_bytes = setup_.max_state_bytes;
  if (!disk_error_.empty()) {
    now.disk = disk_state::failed;
    now.disk_error = disk_error_;
  }
  if (phase_ == phase::no_room) {
    now.disk = disk_state::full;
    now.disk_error = full_error_;
  }
  if (setup_.network) now.network = setup_.network();
  if (!serves() || !role_.role) {
    now.not_ready = !disk_error_.empty()       ? "the disk failed: " + disk_error_
                    : phase_ == phase::no_room ? "the disk is full: " + full_error_
                    : phase_ == phase::forming ? "not part of a cluster yet"
                    : phase_ == phase::opening && opening_put_off_
                        ? "the data directory cannot be opened now: " + full_error_
                    : phase_ == phase::opening
                        ? "reading the log and the state from the disk for " + in_ms(clock().now() - opening_since_)
                        : "starting or stopping";
    return phase_ == phase::forming && around_.formation ? explained(std::move(now)) : caf::result<node_status>{now};
  }
  struct gathering {
    node_status now;
    caf::typed_response_promise<node_status> promise;
    role_report role;
    applied_status applied;
    peer_list peers;
    health_report health;
    int missing = 4;
  };
  auto all = std::make_shared<gathering>();
  all->now = std::move(now);
  all->promise = make_response_promise<node_status>();
  const auto gather = [this, all]<class Answer>(const auto& from, auto question, Answer gathering::*place) {
    request(from, caf::infinite, question)
        .then(
            [this, all, place](const Answer& answer) {
              (*all).*place = answer;
              if (--all->missing > 0) return;
              all->now.role = all->role.role;
              all->now.applied = all->applied.applied;
              all->now.snapshot = all->applied.snapshot;
              all->now.snapshot_error = all->applied.snapshot_error;
              all->now.state_bytes = all->applied.state_bytes;
              describe_members(all->now, all->role.members, all->peers, all->health);
              judge(all->now, all->role, all->peers, all->applied.behind);
              all->promise.deliver(std::move(all->now));
            },
            [all](const caf::error& e) { all->promise.deliver(e); });
  };
  gather(role_.role, get_role_report{}, &gathering::role);
  gather(dispatcher_, get_applied{}, &gathering::applied);
  gather(around_.links, get_peers{}, &gathering::peers);
  gather(around_.health, get_health{}, &gathering::health);
  return all->promise;
}

/// Completes the status of a node without a cluster: what its formation waits for, and why other nodes do not answer.
caf::result<node_status> node_actor::explained(node_status now) {
  auto promise = make_response_promise<node_status>();
  const auto add_problems = [this, promise](node_status known) {
    request(around_.links, caf::infinite, get_peers{})
        .then(
            [promise, known](const peer_list& peers) mutable {
              known.not_ready += problems_of(peers);
              promise.deliver(std::move(known));
            },
            [promise, known](const caf::error&) mutable { promise.deliver(std::move(known)); });
  };
  request(around_.formation, formation_patience, get_formation{})
      .then(
          [add_problems, now](const formation_status& forming) mutable {
            if (!forming.note.empty()) now.not_ready += ": " + forming.note;
            add_problems(std::move(now));
          },
          [promise, now](const caf::error&) mutable {
            // Formation did not answer: it hangs in a disk call for the identity file.
            now.disk = disk_state::stalled;
            now.disk_error = "the data directory does not answer";
            now.not_ready += ": " + now.disk_error;
            promise.deliver(std::move(now));
          });
  return promise;
}

void node_actor::describe_members(node_status& now, const raft::configuration& c, const peer_list& peers,
                                  const health_report& health) const {
  for (const auto& m : c.members()) {
    const bool self = m.id == setup_.id;
    member_status member{m.id, self ? setup_.address : m.address, c.is_voter(m.id), self, false, {}, 0, {}};
    member.joining = std::any_of(c.promotions.begin(), c.promotions.end(),
                                 [&](const raft::promotion& p) { return p.learner == m.id && !p.standby; });
    for (const auto& h : health.peers)
      if (h.id == m.id) member.health = h;
    if (const auto lost = losses_.find(m.id); lost != losses_.end()) {
      member.losses = lost->second.count;
      member.last_loss = lost->second.last;
    }
    for (const auto& peer : peers.peers) {
      // A node may be listed under several addresses, of which one is used. This also holds for this node itself.
      if (peer.id != m.id || m.id == setup_.id || !peer.up) continue;
      member.address = peer.address;
      member.reachable = true;
    }
    if (m.id == now.role->leader) now.leader_address = member.address;
    now.members.push_back(std::move(member));
  }
}

void node_actor::judge(node_status& now, const role_report& role, const peer_list& peers,
                       raft::duration applied_behind) const {
  const auto patience = 2 * setup_.raft.election_max;
  if (role.disk_full) {
    now.disk = disk_state::full;
    now.disk_error = "no room for the next file of the log";
  }
  if (role.disk_stalled) {
    now.disk = disk_state::stalled;
    now.disk_error = "a write has waited for " + in_ms(*role.disk_stalled);
  }
  const auto late = std::max(role.behind, applied_behind);
  const auto most = setup_.ready_lag.count() > 0 ? raft::duration{setup_.ready_lag} : 5 * setup_.raft.election_max;
  const auto& waiting = role.members.promotions;
  const bool joins =
      std::any_of(waiting.begin(), waiting.end(), [&](const auto& p) { return p.learner == setup_.id && !p.standby; });
  if (removed_at_ > 0) {
    now.not_ready = "this node was removed from the cluster by the configuration at " + std::to_string(removed_at_);
  } else if (role.role.state_lost) {
    now.not_ready = "no usable state (damaged snapshot or missing backup): waiting for another node's snapshot";
  } else if (role.disk_stalled) {
    now.not_ready = "the disk does not answer: " + now.disk_error;
  } else if (role.disk_full) {
    now.not_ready = "the disk is full: " + now.disk_error;
  } else if (!role.role.leader) {
    now.not_ready = "no leader is known: " + voters_that_answer(now.members) + problems_of(peers);
  } else if (!role.leader_heard || clock().now() - *role.leader_heard > patience) {
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

} // namespace troupe
