#include "raft/leader.hpp"

#include "raft/candidate.hpp"
#include "raft/change_planner.hpp"
#include "raft/membership_rules.hpp"
#include "raft/quorum.hpp"
#include "raft/vote_rules.hpp"

#include <algorithm>
#include <stdexcept>

namespace troupe::raft {

leader::leader(candidate&& from) : state_(std::move(from).release()), peers_(state_.opts()) {}

output leader::start(time_point now) {
  output out;
  state_.enter(tick{}, now, out);
  heard_ = began_ = now;
  check_quorum_at_ = now + state_.opts().election_max;
  term_start_ = state_.log().last_index() + 1;
  std::vector<entry> batch;
  append(out, entry_kind::noop, {}, batch);
  // Members that the newest configuration removed may not know it yet.
  for (const auto& m : state_.log().previous().members()) add_peer(m, now, out);
  follow_configuration(now, out);
  return out;
}

output leader::step(const event& what, time_point now) {
  output out;
  state_.enter(what, now, out);
  std::visit([&](const auto& e) { on(e, now, out); }, what);
  transfer_if_disk_stalls(now, out);
  return out;
}

replicator_seed leader::seed_for(node_id peer) const {
  const auto& log = state_.log();
  return {state_.opts(),   state_.to(peer), log.last_index(),       log.last_term(),
          state_.commit(), reads_.round(),  peers_.at(peer).session};
}

fetched leader::answer(const fetch_request& request) const {
  const auto& log = state_.log();
  auto prev = std::min(request.first - 1, log.last_index());
  if (prev < log.start().index) return {request.first, 0, {}, true};
  if (request.hint_term) prev = log.last_at_or_below(prev, *request.hint_term);
  return {prev + 1, *log.term_at(prev), log.slice(prev + 1, log.last_index(), request.max_bytes), false};
}

std::optional<time_point> leader::deadline() const {
  auto next = check_quorum_at_;
  for (const auto& other : {transfer_.until(), state_.disk_deadline(), step_down_by_, peers_.next_due()})
    if (other) next = std::min(next, other);
  return next;
}

void leader::on(const tick&, time_point now, output& out) {
  for (const auto peer : peers_.silent_leavers(now)) drop_peer(peer, out);
  release_logs(now, out);
  if (transfer_.in_progress() && now >= *transfer_.until()) give_up_transfer(out);
  if (!out.next_role && now >= *check_quorum_at_) check_quorum(now, out);
}

void leader::check_quorum(time_point now, output& out) {
  // When a quorum was last heard. A leader without followers must not keep answering as a leader.
  const auto heard = quorum_value(state_.members(), [&](node_id id) {
    if (id == state_.self()) return now;
    return peers_.heard(id);
  });
  heard_ = std::max(*heard_, heard);
  check_quorum_at_ = *heard_ + state_.opts().election_max;
  if (now >= *check_quorum_at_) step_down(out, std::nullopt);
}

void leader::on(const rpc& message, time_point now, output& out) {
  std::visit([&](const auto& m) { receive(m, now, out); }, message);
}

void leader::on(const propose& what, time_point, output& out) {
  std::vector<entry> batch;
  for (const auto& p : what.proposals) {
    if (transfer_.in_progress()) {
      out.failed_proposals.push_back({p.tag, reject_reason::transferring, {}});
      continue;
    }
    if (!state_.can_apply()) {
      out.failed_proposals.push_back({p.tag, reject_reason::not_leader, {}});
      continue;
    }
    if (state_.disk_stalled()) {
      out.failed_proposals.push_back({p.tag, reject_reason::disk_stalled, state_.self()});
      continue;
    }
    const auto most = state_.opts().max_uncommitted_bytes;
    const bool overloaded = uncommitted_bytes_ > most || state_.unsynced_bytes() > most;
    if (overloaded || !state_.has_room()) {
      out.failed_proposals.push_back(
          {p.tag, overloaded ? reject_reason::overloaded : reject_reason::disk_full, state_.self()});
      continue;
    }
    append(out, entry_kind::command, p.data, batch);
    out.accepted_now.push_back({p.tag, state_.log().last_index(), state_.term()});
  }
  if (!batch.empty()) notify_replicators(out, std::move(batch));
}

void leader::on(const read_request& what, time_point, output& out) {
  if (!reads_.add(what.tag)) {
    out.failed_reads.push_back({what.tag, reject_reason::overloaded, state_.self()});
    return;
  }
  serve_reads(out);
}

void leader::on(const persisted&, time_point now, output& out) {
  advance_commit(now, out);
  state_.release_commits(out);
}

void leader::on(const peer_report& what, time_point now, output& out) {
  const auto last = state_.log().last_index();
  if (what.term != state_.term() || what.match > last || what.round > reads_.round() || !peers_.note(what, last))
    return;
  if (what.lost) out.broken_promises.push_back({what.peer, *what.lost});
  if (peers_.note_transfer(what, last)) state_.compact(out, peers_.pinned());
  if (peers_.at(what.peer).notify_until) notify_removed(what.peer, state_, now, out);
  if (transfer_.is_to(what.peer)) ask_successor(out);
  advance_commit(now, out);
  state_.release_commits(out);
  serve_reads(out);
  promote(now, out);
  step_down_if_unable_to_apply(now, out);
  if (!state_.has_room() && !transfer_.in_progress() && !out.next_role) transfer_for_room(now, out);
}

void leader::on(const snapshot_stored&, time_point, output&) {
  state_.note_stored();
  // It came from an earlier leader. This leader's log contains everything that the snapshot covers.
}

void leader::on(const snapshot_taken& what, time_point now, output& out) {
  state_.note_taken(what);
  release_logs(now, out);
  state_.compact(out, peers_.pinned());
}

void leader::on(const disk_space& what, time_point, output& out) {
  const bool ran_out = state_.has_room() && !what.enough;
  state_.note_room(what.enough);
  // Another node may have room. If none has, one of them is elected anyway and serves reads.
  if (ran_out && state_.members().members().size() > 1) step_down(out, std::nullopt);
}

void leader::on(const state_missing& what, time_point now, output& out) {
  state_.note_missing(what.index);
  step_down_if_unable_to_apply(now, out);
}

void leader::step_down_if_unable_to_apply(time_point now, output& out) {
  if (state_.can_apply()) return;
  if (!unable_to_apply_since_) unable_to_apply_since_ = now;
  const bool patient = now - *unable_to_apply_since_ < 2 * state_.opts().election_max;
  if (peers_.voters_have_all(state_.members(), state_.log().last_index(), patient, now)) step_down(out, std::nullopt);
}

void leader::receive(const vote_request& request, time_point now, output& out) {
  notify_removed(request.head.from, state_, now, out);
  // A node that cannot hear the leader must not depose it while a quorum follows, unless a leader asked for the
  // election. If that node's term really is higher, its response to the next append_request says so.
  if (request.transfer && request.head.term > state_.term()) {
    step_down(out, request);
  } else if (request.pre) {
    state_.send_durably(out, answer_pre_vote(request, state_, true));
  } else if (request.head.term <= state_.term()) {
    state_.send_durably(out, refuse_vote(request, state_));
  }
}

void leader::receive(const vote_response& response, time_point, output& out) {
  if (!(response.pre && response.granted) && response.head.term > state_.term()) step_down(out, response);
}

void leader::receive(const append_request& request, time_point, output& out) { receive_from_leader(request, out); }

void leader::receive(const append_response& response, time_point, output& out) {
  // Responses of this term go to the peer's replicator.
  if (response.head.term > state_.term()) step_down(out, response);
}

void leader::receive(const snapshot_request& request, time_point, output& out) { receive_from_leader(request, out); }

void leader::receive(const snapshot_response& response, time_point, output& out) {
  if (response.head.term > state_.term()) step_down(out, response);
}

void leader::receive(const timeout_now&, time_point, output&) {
  // It already leads.
}

void leader::receive(const removed_notice&, time_point, output&) {
  // A leader already knows its own membership.
}

template <class Request> void leader::receive_from_leader(const Request& request, output& out) {
  if (request.head.term > state_.term()) {
    step_down(out, request);
  } else if (request.head.term < state_.term()) {
    state_.send_durably(out, refuse_stale(request, state_));
  } else {
    throw std::logic_error("raft: two leaders in one term");
  }
}

void leader::append(output& out, entry_kind what, bytes data, std::vector<entry>& batch) {
  entry e{state_.log().last_index() + 1, state_.term(), what, std::move(data)};
  uncommitted_.emplace_back(e.index, e.cost());
  uncommitted_bytes_ += e.cost();
  batch.push_back(e);
  state_.append(out, std::move(e));
}

void leader::advance_commit(time_point now, output& out) {
  const auto index = quorum_value(state_.members(), [&](node_id id) -> index_t {
    // The leader's own copy counts once its disk has it, like every other copy.
    if (id == state_.self()) return state_.durable_index();
    return peers_.match(id);
  });
  // Only entries of the leader's own term are committed by counting copies (Raft paper, section 5.4.2 and figure 8).
  if (index <= state_.commit() || state_.log().term_at(index) != state_.term()) return;
  state_.commit_to(index);
  while (!uncommitted_.empty() && uncommitted_.front().first <= index) {
    uncommitted_bytes_ -= uncommitted_.front().second;
    uncommitted_.pop_front();
  }
  notify_replicators(out);
  serve_reads(out);
  if (state_.configuration_committed()) on_configuration_committed(now, out);
}

void leader::serve_reads(output& out) {
  if (state_.commit() >= term_start_) reads_.admit(state_.commit());
  for (;;) {
    const auto confirmed = quorum_value(state_.members(), [&](node_id id) -> std::uint64_t {
      return id == state_.self() ? reads_.round() : peers_.round(id);
    });
    reads_.confirm(confirmed, out.reads);
    if (!reads_.begin_round()) return;
    notify_replicators(out);
  }
}

void leader::step_down(output& out, std::optional<rpc> carry) {
  for (const auto tag : reads_.take_all()) out.failed_reads.push_back({tag, reject_reason::leadership_lost, {}});
  // The higher term is due to the election that this leader asked for.
  const bool moved = carry && transfer_.asked();
  transfer_.end(moved ? std::nullopt : std::optional{reject_reason::leadership_lost}, {}, out);
  out.next_role = transition{role_kind::follower, std::move(carry)};
}

void leader::notify_replicators(output& out, std::vector<entry> entries) {
  if (!out.replicate_now) out.replicate_now.emplace();
  auto& message = *out.replicate_now;
  if (!entries.empty()) message.entries = std::move(entries);
  message.last = state_.log().last_index();
  message.commit = state_.commit();
  message.round = reads_.round();
}

// -- changes of the members

void leader::on(const change_members& what, time_point now, output& out) {
  const change_planner planner{state_, peers_, term_start_, began_, now};
  const auto next = planner.change(what, transfer_.in_progress());
  if (const auto* why = std::get_if<reject_reason>(&next)) {
    out.failed_proposals.push_back({what.tag, *why, state_.self()});
    return;
  }
  append_configuration(std::get<configuration>(next), now, out);
  out.accepted_now.push_back({what.tag, state_.log().last_index(), state_.term()});
}

void leader::promote(time_point now, output& out) {
  if (transfer_.in_progress() || out.next_role || state_.disk_stalled()) return;
  if (const auto next = change_planner{state_, peers_, term_start_, began_, now}.promotions())
    append_configuration(*next, now, out);
}

void leader::append_configuration(const configuration& next, time_point now, output& out) {
  std::vector<entry> batch;
  append(out, entry_kind::configuration, bytes{encode(next)}, batch);
  follow_configuration(now, out);
  notify_replicators(out, std::move(batch));
}

void leader::follow_configuration(time_point now, output& out) {
  for (const auto& m : state_.members().members()) add_peer(m, now, out);
  peers_.follow(state_.members(), state_.log().configuration_index());
}

void leader::add_peer(const member& peer, time_point now, output& out) {
  if (peer.id == state_.self() || !peers_.add(peer.id, state_.log().last_index(), now)) return;
  if (!out.membership) out.membership.emplace();
  out.membership->start.push_back(peer);
}

void leader::on_configuration_committed(time_point now, output& out) {
  const auto& c = state_.members();
  if (c.joint()) {
    append_configuration(leave_joint(c), now, out);
    return;
  }
  peers_.notify_leavers(now + 10 * state_.opts().election_max);
  if (c.is_voter(state_.self())) return;
  // A leader that is now a learner must give up its leadership, but it remains a member.
  if (!c.is_member(state_.self())) state_.note_own_removal(out);
  if (transfer_.in_progress()) return;
  if (const auto next = peers_.best_successor(c.voters, now)) {
    begin_transfer(0, next, now, out);
  } else {
    step_down(out, std::nullopt);
  }
}

void leader::receive(const removed_answer& answer, time_point, output& out) {
  const auto* peer = peers_.find(answer.head.from);
  if (peer && peer->notify_until && answer.index >= peer->left_at) drop_peer(answer.head.from, out);
}

void leader::drop_peer(node_id peer, output& out) {
  peers_.drop(peer);
  if (!out.membership) out.membership.emplace();
  out.membership->stop.push_back(peer);
}

/// Stops keeping log that exceeds its limits, and forgets transfers to silent peers.
void leader::release_logs(time_point now, output& out) {
  const auto released = peers_.release_logs(state_.log(), state_.compactable(), now);
  if (released.empty()) return;
  out.released_logs.insert(out.released_logs.end(), released.begin(), released.end());
  state_.compact(out, peers_.pinned());
}

// -- transfer of the leadership

void leader::on(const transfer_leadership& what, time_point now, output& out) {
  const auto refuse = [&](reject_reason why) { out.failed_proposals.push_back({what.tag, why, state_.self()}); };
  if (transfer_.in_progress()) return refuse(reject_reason::transferring);
  if (!what.target) {
    const auto best = peers_.best_successor(state_.members().voters, now);
    return best ? begin_transfer(what.tag, best, now, out) : refuse(reject_reason::no_successor);
  }
  const auto& members = state_.members();
  if (!members.is_member(what.target)) return refuse(reject_reason::unknown_member);
  const auto& voters = members.voters;
  if (std::none_of(voters.begin(), voters.end(), [&](const member& m) { return m.id == what.target; }))
    return refuse(reject_reason::not_a_voter);
  // The target already leads: there is nothing to do.
  if (what.target == state_.self()) {
    out.transferred_now = transferred{what.tag, what.target};
    return;
  }
  begin_transfer(what.tag, what.target, now, out);
}

/// A leader whose disk is full cannot accept commands. If it was elected because all disks were full, it transfers its
/// leadership as soon as another voter has room.
void leader::transfer_for_room(time_point now, output& out) {
  const auto best = peers_.best_successor(state_.members().voters, now);
  if (best && peers_.at(best).match == state_.log().last_index()) begin_transfer(0, best, now, out);
}

void leader::begin_transfer(tag_t tag, node_id target, time_point now, output& out) {
  transfer_.begin(tag, target, now + state_.opts().election_max);
  ask_successor(out);
}

bool leader::others_are_quorum(time_point now) const {
  return has_quorum(state_.members(), [&](node_id id) { return id != state_.self() && peers_.responds(id, now); });
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
  if (transfer_.in_progress()) return;
  if (const auto next = peers_.best_successor(state_.members().voters, now)) begin_transfer(0, next, now, out);
}

/// Asks the target to campaign. Repeated with each of its responses, since the message may be lost.
void leader::ask_successor(output& out) {
  if (peers_.at(transfer_.target()).match < state_.log().last_index()) return;
  transfer_.note_asked();
  // It can be sent at once: it promises nothing about this node's disk, whose stall may be the reason for the transfer,
  // and the term of a leader is durable.
  out.send_now.push_back(timeout_now{state_.to(transfer_.target())});
}

void leader::give_up_transfer(output& out) {
  transfer_.end(reject_reason::transfer_failed, state_.self(), out);
  // A leader that is no longer a voter must not continue to lead.
  if (state_.configuration_committed() && !state_.members().is_voter(state_.self())) step_down(out, std::nullopt);
}

} // namespace troupe::raft
