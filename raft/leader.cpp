#include "raft/leader.hpp"

#include "raft/candidate.hpp"
#include "raft/quorum.hpp"
#include "raft/vote_rules.hpp"

#include <algorithm>
#include <stdexcept>

namespace troupe::raft {
namespace {

/// The maximum of reads that wait for confirmation. Callers batch their reads into one, so this is far beyond any
/// normal load.
constexpr std::size_t max_waiting_reads = 65536;

} // namespace

leader::leader(candidate&& from) : state_(std::move(from).release()) {}

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
          state_.commit(), round_,          peers_.at(peer).session};
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
  if (transfer_) next = std::min(next, std::optional{transfer_->until});
  if (const auto disk = state_.disk_deadline()) next = std::min(next, disk);
  if (step_down_by_) next = std::min(next, step_down_by_);
  for (const auto& [id, p] : peers_)
    if (p.notify_until) next = std::min(next, p.notify_until);
  return next;
}

void leader::on(const tick&, time_point now, output& out) {
  drop_silent_leavers(now, out);
  review_logs(now, out);
  if (transfer_ && now >= transfer_->until) give_up_transfer(out);
  if (!out.next_role && now >= *check_quorum_at_) check_quorum(now, out);
}

void leader::check_quorum(time_point now, output& out) {
  // When a quorum was last heard. A leader without followers must not keep answering as a leader.
  const auto heard = quorum_value(state_.members(), [&](node_id id) {
    if (id == state_.self()) return now;
    const auto peer = peers_.find(id);
    return peer == peers_.end() ? time_point{} : peer->second.heard;
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
    if (transfer_) {
      out.failed_proposals.push_back({p.tag, refusal::transferring, {}});
      continue;
    }
    if (!state_.can_apply()) {
      out.failed_proposals.push_back({p.tag, refusal::not_leader, {}});
      continue;
    }
    if (state_.disk_stalled()) {
      out.failed_proposals.push_back({p.tag, refusal::disk_stalled, state_.self()});
      continue;
    }
    const auto most = state_.opts().max_uncommitted_bytes;
    const bool overloaded = uncommitted_bytes_ > most || state_.unsynced_bytes() > most;
    if (overloaded || !state_.has_room()) {
      out.failed_proposals.push_back({p.tag, overloaded ? refusal::overloaded : refusal::disk_full, state_.self()});
      continue;
    }
    append(out, entry_kind::command, p.data, batch);
    out.accepted_now.push_back({p.tag, state_.log().last_index(), state_.term()});
  }
  if (!batch.empty()) notify_replicators(out, std::move(batch));
}

void leader::on(const read_request& what, time_point, output& out) {
  if (reads_.size() >= max_waiting_reads) {
    out.failed_reads.push_back({what.tag, refusal::overloaded, state_.self()});
    return;
  }
  reads_.push_back({what.tag, 0, 0});
  admit(reads_.back());
  serve_reads(out);
}

void leader::on(const persisted&, time_point now, output& out) {
  advance_commit(now, out);
  state_.release_commits(out);
}

void leader::on(const peer_report& what, time_point now, output& out) {
  const auto peer = peers_.find(what.peer);
  if (what.term != state_.term() || peer == peers_.end() || what.match > state_.log().last_index() ||
      what.round > round_ || what.session < peer->second.session)
    return;
  auto& p = peer->second;
  if (what.session > p.session) {
    // Acknowledgements of an earlier session no longer count towards new commits. Entries that they helped to commit
    // stay committed.
    p.session = what.session;
    p.keeps_up = p.keeps_up && what.match >= p.match;
    p.match = what.match;
    p.round = what.round;
  } else {
    p.match = std::max(p.match, what.match);
    p.round = std::max(p.round, what.round);
  }
  if (what.lost) out.broken_promises.push_back({what.peer, *what.lost});
  p.heard = std::max(p.heard, what.heard);
  p.answered = true;
  p.ineligible = what.ineligible;
  note_pace(p, what.heard);
  note_transfer(p, what, out);
  if (p.notify_until) notify_removed(what.peer, state_, now, out);
  if (transfer_ && transfer_->target == what.peer) ask_successor(out);
  advance_commit(now, out);
  state_.release_commits(out);
  serve_reads(out);
  promote(now, out);
  step_down_if_unable_to_apply(now, out);
  if (!state_.has_room() && !transfer_ && !out.next_role) transfer_for_room(now, out);
}

void leader::on(const snapshot_stored&, time_point, output&) {
  state_.note_stored();
  // It came from an earlier leader. This leader's log contains everything that the snapshot covers.
}

void leader::on(const snapshot_taken& what, time_point now, output& out) {
  state_.note_taken(what);
  review_logs(now, out);
  state_.compact(out, pinned());
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
  bool followed = false;
  for (const auto& [id, peer] : peers_) {
    if (!state_.members().is_voter(id) || now - peer.heard > state_.opts().election_min) continue;
    const bool has_all = peer.match == state_.log().last_index();
    if (!has_all && patient) return;
    followed = followed || has_all;
  }
  if (followed) step_down(out, std::nullopt);
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
    const auto peer = peers_.find(id);
    return peer == peers_.end() ? 0 : peer->second.match;
  });
  // Only entries of the leader's own term are committed by counting copies (Raft paper, section 5.4.2 and figure 8).
  if (index <= state_.commit() || state_.log().term_at(index) != state_.term()) return;
  state_.commit_to(index);
  while (!uncommitted_.empty() && uncommitted_.front().first <= index) {
    uncommitted_bytes_ -= uncommitted_.front().second;
    uncommitted_.pop_front();
  }
  notify_replicators(out);
  for (auto& read : reads_)
    if (read.round == 0) admit(read);
  serve_reads(out);
  if (state_.configuration_committed()) on_configuration_committed(now, out);
}

void leader::admit(waiting_read& read) const {
  // Until an entry of this leader's term is committed, its commit index may lag behind acknowledged writes.
  if (state_.commit() < term_start_) return;
  read.index = state_.commit();
  // Only a round that starts after the read arrived confirms it; the newest round started before.
  read.round = round_ + 1;
}

void leader::serve_reads(output& out) {
  for (;;) {
    confirmed_round_ = std::max(confirmed_round_, quorum_value(state_.members(), [&](node_id id) -> std::uint64_t {
                                  if (id == state_.self()) return round_;
                                  const auto peer = peers_.find(id);
                                  return peer == peers_.end() ? 0 : peer->second.round;
                                }));
    std::erase_if(reads_, [&](const waiting_read& read) {
      if (read.round == 0 || read.round > confirmed_round_) return false;
      out.reads.push_back({read.tag, read.index});
      return true;
    });
    // Reads that arrived during a round share the next one.
    const bool waiting = std::any_of(reads_.begin(), reads_.end(), [&](const auto& r) { return r.round > round_; });
    if (!waiting || confirmed_round_ < round_) return;
    ++round_;
    notify_replicators(out);
  }
}

void leader::step_down(output& out, std::optional<rpc> carry) {
  for (const auto& read : reads_) out.failed_reads.push_back({read.tag, refusal::leadership_lost, {}});
  reads_.clear();
  // The higher term is due to the election that this leader asked for.
  const bool moved = carry && transfer_ && transfer_->asked;
  end_transfer(moved ? std::nullopt : std::optional{refusal::leadership_lost}, out);
  out.next_role = transition{role_kind::follower, std::move(carry)};
}

void leader::notify_replicators(output& out, std::vector<entry> entries) {
  if (!out.replicate_now) out.replicate_now.emplace();
  auto& message = *out.replicate_now;
  if (!entries.empty()) message.entries = std::move(entries);
  message.last = state_.log().last_index();
  message.commit = state_.commit();
  message.round = round_;
}

} // namespace troupe::raft
