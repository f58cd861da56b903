// The part of the leader that transfers its leadership to another voter (Ongaro's thesis, section 3.10): it accepts no
// new proposals, and asks the voter to campaign once that has the whole log.
#include "raft/leader.hpp"
#include "raft/quorum.hpp"

#include <algorithm>
#include <utility>

namespace troupe::raft {

void leader::on(const transfer_leadership& what, time_point now, output& out) {
  const auto refuse = [&](refusal why) { out.failed_proposals.push_back({what.tag, why, state_.self()}); };
  if (transfer_) return refuse(refusal::transferring);
  if (!what.target) {
    const auto best = best_successor(now);
    return best ? begin_transfer(what.tag, best, now, out) : refuse(refusal::no_successor);
  }
  const auto& members = state_.members();
  if (!members.is_member(what.target)) return refuse(refusal::unknown_member);
  const auto& voters = members.voters;
  if (std::none_of(voters.begin(), voters.end(), [&](const member& m) { return m.id == what.target; }))
    return refuse(refusal::not_a_voter);
  // The target already leads: there is nothing to do.
  if (what.target == state_.self()) {
    out.transferred_now = transferred{what.tag, what.target};
    return;
  }
  begin_transfer(what.tag, what.target, now, out);
}

/// The voter with the longest matching log among the eligible ones that responded recently.
node_id leader::best_successor(time_point now) const {
  node_id best;
  for (const auto& m : state_.members().voters) {
    const auto peer = peers_.find(m.id);
    if (peer == peers_.end() || peer->second.ineligible || now - peer->second.heard >= state_.opts().election_min)
      continue;
    if (!best || peer->second.match > peers_.at(best).match) best = m.id;
  }
  return best;
}

/// A leader whose disk is full cannot accept commands. If it was elected because all disks were full, it transfers its
/// leadership as soon as another voter has room.
void leader::transfer_for_room(time_point now, output& out) {
  const auto best = best_successor(now);
  if (best && peers_.at(best).match == state_.log().last_index()) begin_transfer(0, best, now, out);
}

void leader::begin_transfer(tag_t tag, node_id target, time_point now, output& out) {
  transfer_ = pending_transfer{tag, target, now + state_.opts().election_max, false};
  ask_successor(out);
}

bool leader::others_are_quorum(time_point now) const {
  return has_quorum(state_.members(), [&](node_id id) { return id != state_.self() && is_heard(id, now); });
}

/// A leader whose disk stalls delays a cluster that could work without it. It transfers its leadership to the voter
/// with the longest matching log; that needs no disk here, since the term is durable. After election_max it steps down
/// in any case. It stays leader if the other voters are not a quorum: no other node could be elected without this
/// node's vote, which would wait for the same disk, while this leader can still confirm reads. Meanwhile it refuses
/// commands, and it accepts them again as soon as the disk responds.
void leader::transfer_if_disk_stalls(time_point now, output& out) {
  if (out.next_role) return;
  if (!state_.disk_stalled() || !others_are_quorum(now)) {
    step_down_by_.reset();
    return;
  }
  if (!step_down_by_) step_down_by_ = now + state_.opts().election_max;
  if (now >= *step_down_by_) return step_down(out, std::nullopt);
  if (transfer_) return;
  if (const auto next = best_successor(now)) begin_transfer(0, next, now, out);
}

/// Asks the target to campaign. Repeated with each of its responses, since the message may be lost.
void leader::ask_successor(output& out) {
  if (peers_.at(transfer_->target).match < state_.log().last_index()) return;
  transfer_->asked = true;
  // It can be sent at once: it promises nothing about this node's disk, whose stall may be the reason for the transfer,
  // and the term of a leader is durable.
  out.send_now.push_back(timeout_now{state_.to(transfer_->target)});
}

void leader::give_up_transfer(output& out) {
  end_transfer(refusal::transfer_failed, out);
  // A leader that is no longer a voter must not continue to lead.
  if (state_.configuration_committed() && !state_.members().is_voter(state_.self())) step_down(out, std::nullopt);
}

void leader::end_transfer(std::optional<refusal> failure, output& out) {
  const auto done = std::exchange(transfer_, std::nullopt);
  if (!done || done->tag == 0) return;
  if (failure) {
    out.failed_transfer = failed{done->tag, *failure, failure == refusal::transfer_failed ? state_.self() : node_id{}};
  } else {
    out.transferred_now = transferred{done->tag, done->target};
  }
}

} // namespace troupe::raft
