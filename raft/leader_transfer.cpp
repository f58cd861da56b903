// The part of a leader that hands its leadership to another voter (Ongaro's thesis, section 3.10): it takes nothing
// new, and when the other has all of its log, asks it to campaign.
#include "raft/leader.hpp"
#include "raft/quorum.hpp"

#include <algorithm>
#include <utility>

namespace troupe::raft {

void leader::on(const transfer_leadership& what, time_point now, output& out) {
  const auto refuse = [&](refusal why) { out.failed_now.push_back({what.tag, why, state_.self()}); };
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
  // Nothing is to be done where it leads already.
  if (what.target == state_.self()) {
    out.transferred_now = transferred{what.tag, what.target};
    return;
  }
  begin_transfer(what.tag, what.target, now, out);
}

/// The voter that has most of the log, of those that were heard lately and could serve.
node_id leader::best_successor(time_point now) const {
  node_id best;
  for (const auto& m : state_.members().voters) {
    const auto peer = peers_.find(m.id);
    if (peer == peers_.end() || peer->second.unfit || now - peer->second.heard >= state_.opts().election_min) continue;
    if (!best || peer->second.match > peers_.at(best).match) best = m.id;
  }
  return best;
}

/// A leader without room can take no commands: one that was elected while all were full hands over to who has room now.
void leader::seek_room(time_point now, output& out) {
  const auto best = best_successor(now);
  if (best && peers_.at(best).match == state_.log().last_index()) begin_transfer(0, best, now, out);
}

void leader::begin_transfer(tag_t tag, node_id target, time_point now, output& out) {
  transfer_ = handover{tag, target, now + state_.opts().election_max, false};
  urge_successor(out);
}

bool leader::others_are_quorum(time_point now) const {
  return has_quorum(state_.members(), [&](node_id id) { return id != state_.self() && is_heard(id, now); });
}

/// A leader whose disk stalls keeps those waiting that do without it. It hands over to the voter that has most of the
/// log, which needs no disk here, as the term is durable; after an election timeout it steps down in any case. Without
/// a quorum of others it stays: no other could be elected without this node's vote, which would wait for the same disk,
/// while it can still confirm reads. It refuses commands meanwhile, and goes on as soon as the disk answers.
void leader::flee_stalled_disk(time_point now, output& out) {
  if (out.next_role) return;
  if (!state_.disk_stalled() || !others_are_quorum(now)) {
    leave_by_.reset();
    return;
  }
  if (!leave_by_) leave_by_ = now + state_.opts().election_max;
  if (now >= *leave_by_) return step_down(out, std::nullopt);
  if (transfer_) return;
  if (const auto next = best_successor(now)) begin_transfer(0, next, now, out);
}

/// Once more with each answer of the target: the word may be lost.
void leader::urge_successor(output& out) {
  if (peers_.at(transfer_->target).match < state_.log().last_index()) return;
  transfer_->asked = true;
  // It promises nothing about this node's disk, which may be why the leadership moves. The term is durable: it was won.
  out.send_now.push_back(timeout_now{state_.to(transfer_->target)});
}

void leader::give_up_transfer(output& out) {
  end_transfer(refusal::transfer_failed, out);
  // A leader that is no voter any more has nothing to go on for.
  if (state_.configuration_committed() && !state_.members().is_voter(state_.self())) step_down(out, std::nullopt);
}

void leader::end_transfer(std::optional<refusal> failure, output& out) {
  const auto done = std::exchange(transfer_, std::nullopt);
  if (!done || done->tag == 0) return;
  if (failure) {
    out.failed_now.push_back({done->tag, *failure, failure == refusal::transfer_failed ? state_.self() : node_id{}});
  } else {
    out.transferred_now = transferred{done->tag, done->target};
  }
}

} // namespace troupe::raft
