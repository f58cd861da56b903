#include "raft/replicator.hpp"

#include <algorithm>
#include <utility>

namespace troupe::raft {

replicator::replicator(const replicator_seed& seed)
    : opts_(seed.opts), head_(seed.head), last_(seed.last), commit_(seed.commit), round_(seed.round),
      next_(seed.last + 1), prev_term_(seed.last_term), sender_(seed.opts), session_(seed.session) {}

replicator_output replicator::start(time_point now) {
  replicator_output out;
  heard_at_ = now;
  // The first probe leaves at once. It is also the new leader's first heartbeat.
  send(now, {}, 0, out);
  return out;
}

replicator_output replicator::step(const replicator_event& what, time_point now) {
  replicator_output out;
  std::visit([&](const auto& e) { on(e, now, out); }, what);
  return out;
}

time_point replicator::deadline() const {
  auto next = sent_at_ + opts_.heartbeat;
  if (commit_waits_since_) next = std::min(next, *commit_waits_since_ + opts_.commit_lag);
  if (const auto chunk = sender_.deadline()) next = std::min(next, *chunk);
  return next;
}

void replicator::on(const tick&, time_point now, replicator_output& out) {
  // Unanswered requests were lost, or the peer is down. Probe again, since probes carry no entries.
  const bool silent = !inflight_.empty() && now - std::max(heard_at_, inflight_since_) >= opts_.election_min;
  if (silent) probe_from(match_ + 1, std::nullopt, out);
  sender_output asks;
  const bool overdue = sender_.tick(now, asks);
  carry_out(std::move(asks), out);
  // Find out what the peer has: it may have loaded the snapshot. Probe from the end, because the entries after match_
  // may be compacted, and then no probe would be sent.
  if (overdue && mode_ == mode::snapshot) {
    probe_from(last_ + 1, std::nullopt, out);
    update_sender(now, out);
  }
  const bool heartbeat_due = now >= sent_at_ + opts_.heartbeat;
  const bool commit_due = commit_waits_since_ && now >= *commit_waits_since_ + opts_.commit_lag;
  // If the window is full, the commit index waits for the next heartbeat.
  if (commit_due && window_full()) commit_waits_since_.reset();
  if (heartbeat_due || (commit_due && !window_full())) send(now, {}, 0, out);
}

void replicator::on(const replicate& what, time_point now, replicator_output& out) {
  for (const auto& e : what.entries) {
    const auto wanted = next_ + static_cast<index_t>(pending_.size());
    if (e.index < wanted) continue;
    // Entries that do not fit are fetched when they are next.
    if (e.index > wanted || pending_bytes_ >= opts_.max_inflight_bytes) break;
    pending_.push_back(e);
    pending_bytes_ += e.cost();
  }
  last_ = std::max(last_, what.last);
  round_ = std::max(round_, what.round);
  if (what.commit > commit_) {
    commit_ = what.commit;
    if (mode_ == mode::replicate && !commit_waits_since_) commit_waits_since_ = now;
  }
  pump(now, out);
}

void replicator::on(const append_response& what, time_point now, replicator_output& out) {
  if (!is_current(what.head, what.session, what.incarnation, now, out)) return;
  heard_at_ = now;
  if (what.success && what.match <= last_) agreed(what);
  if (!what.success) refused(what, now, out);
  // The peer has run out of room and rejects the commands that are in flight. It may have acknowledged more than match_
  // in responses that were lost. Probe from the end: the hints lead to what it has.
  if (!std::exchange(peer_full_, what.no_room) && peer_full_ && mode_ != mode::snapshot && match_ < last_)
    probe_from(last_ + 1, std::nullopt, out);
  must_reach_ = what.needs_snapshot;
  const auto& sent = sender_.snapshot();
  const bool in_use = what.success && sent && what.match >= sent.last.index;
  if (mode_ == mode::snapshot && in_use) {
    sender_.forget();
    probe_from(match_ + 1, std::nullopt, out);
  }
  sender_output asks;
  sender_.heard(now, asks);
  carry_out(std::move(asks), out);
  update_sender(now, out);
  const auto lost = out.report ? out.report->lost : std::nullopt;
  out.report = report(now, what.round, what.no_room || what.needs_snapshot > 0);
  out.report->lost = lost;
  pump(now, out);
}

bool replicator::is_current(const header& head, std::uint64_t session, std::uint64_t incarnation, time_point now,
                            replicator_output& out) {
  if (head.term != head_.term || head.from != head_.to || session != session_) return false;
  if (!incarnation_) incarnation_ = incarnation;
  if (*incarnation_ == incarnation) return true;
  incarnation_ = incarnation;
  start_over(now, out);
  return false;
}

void replicator::begin_session() {
  ++session_;
  // The response to the chunk in flight will be ignored, so the chunk must be sent again.
  sender_.repeat();
  acknowledged_ = std::max(acknowledged_, match_);
  sent_round_ = 0;
}

void replicator::start_over(time_point now, replicator_output& out) {
  begin_session();
  match_ = 0;
  peer_full_ = false;
  must_reach_ = 0;
  sender_.forget();
  sender_.rest();
  heard_at_ = now;
  probe_from(last_ + 1, std::nullopt, out);
  out.report = report(now, 0, true);
}

peer_report replicator::report(time_point heard, std::uint64_t round, bool ineligible) const {
  return {head_.term, head_.to, match_, round, heard, ineligible, session_, std::nullopt, sender_.transfer()};
}

void replicator::update_sender(time_point now, replicator_output& out) {
  const auto behind_log = mode_ == mode::snapshot ? match_ + 1 : 0;
  const auto reach = std::max(must_reach_, behind_log);
  if (reach == 0) return sender_.rest();
  sender_output asks;
  sender_.want(reach, now, asks);
  carry_out(std::move(asks), out);
}

void replicator::carry_out(sender_output&& asks, replicator_output& out) {
  if (asks.read_chunk) out.read_chunk = asks.read_chunk;
  if (asks.doubted) out.doubted = asks.doubted;
  if (!asks.send_chunk) return;
  auto& chunk = *asks.send_chunk;
  // The report lets the leader know the snapshot before it drops the log after it.
  if (chunk.offset == 0) out.report = report(heard_at_, 0, true);
  out.send_chunk = snapshot_request{head_, chunk.snapshot, chunk.offset, std::move(chunk.data), round_, session_};
}

void replicator::on(const snapshot_chunk& what, time_point now, replicator_output& out) {
  sender_output asks;
  sender_.on(what, now, asks);
  carry_out(std::move(asks), out);
}

void replicator::on(const snapshot_response& what, time_point now, replicator_output& out) {
  if (!is_current(what.head, what.session, what.incarnation, now, out)) return;
  heard_at_ = now;
  sender_output asks;
  sender_.heard(now, asks);
  sender_.on(what, now, asks);
  carry_out(std::move(asks), out);
  out.report = report(now, what.round, true);
}

void replicator::on(const fetched& what, time_point now, replicator_output& out) {
  fetching_ = false;
  if (mode_ == mode::snapshot) return;
  if (what.compacted && what.first == next_) {
    mode_ = mode::snapshot;
    reset_window();
    return update_sender(now, out);
  }
  const bool wanted =
      !what.compacted && (mode_ == mode::probe ? what.first > match_ && !prev_term_ : what.first == next_);
  if (wanted) {
    next_ = what.first;
    prev_term_ = what.prev_term;
    // If the log was compacted while the request was on its way to the disk, the entries begin after next_ or are
    // missing.
    const bool joined = !what.entries.empty() && what.entries.front().index == next_;
    pending_.clear();
    if (joined) pending_.assign(what.entries.begin(), what.entries.end());
    pending_bytes_ = 0;
    for (const auto& e : pending_) pending_bytes_ += e.cost();
    if (mode_ == mode::probe) send(now, {}, 0, out);
  } else if (!prev_term_) {
    // Responses have advanced the peer since the request was sent.
    fetch(next_, std::nullopt, out);
  }
  pump(now, out);
}

void replicator::agreed(const append_response& what) {
  match_ = std::max(match_, what.match);
  while (!inflight_.empty() && inflight_.front().last <= match_) {
    inflight_bytes_ -= inflight_.front().bytes;
    inflight_.pop_front();
  }
  if (mode_ == mode::snapshot) return;
  // In mode probe, only a response that reaches the probed index ends the search.
  if (what.match + 1 >= next_) mode_ = mode::replicate;
  if (next_ > match_) return;
  // A late response to requests from before the probe: the peer has more than was assumed.
  prev_term_.reset();
  while (!pending_.empty() && pending_.front().index <= match_) {
    if (pending_.front().index == match_) prev_term_ = pending_.front().term;
    pending_bytes_ -= pending_.front().cost();
    pending_.pop_front();
  }
  next_ = match_ + 1;
}

void replicator::refused(const append_response& what, time_point now, replicator_output& out) {
  // A refusal concerns one request: in mode probe the last one, in mode replicate any with prev_index above match_.
  const bool possible = what.hint_index < what.prev_index && what.prev_index < next_;
  if (mode_ == mode::snapshot || !possible) return;
  if (what.hint_index < acknowledged_) {
    // Before this request was sent, the peer had acknowledged more than it now reports: its disk lost entries.
    const lost_entries lost{acknowledged_, what.hint_index};
    start_over(now, out);
    acknowledged_ = 0;
    out.report->lost = lost;
    return;
  }
  if (what.prev_index <= match_ || what.hint_index < match_) {
    // The peer denies what it acknowledged in this session, or the response is late. Only a new request can tell.
    begin_session();
    return probe_from(match_ + 1, std::nullopt, out);
  }
  if (mode_ == mode::probe && what.prev_index != next_ - 1) return;
  probe_from(what.hint_index + 1, what.hint_term, out);
}

void replicator::probe_from(index_t next, std::optional<term_t> hint_term, replicator_output& out) {
  mode_ = mode::probe;
  next_ = next;
  reset_window();
  fetch(next, hint_term, out);
}

void replicator::reset_window() {
  prev_term_.reset();
  pending_.clear();
  pending_bytes_ = 0;
  inflight_.clear();
  inflight_bytes_ = 0;
  commit_waits_since_.reset();
}

void replicator::pump(time_point now, replicator_output& out) {
  if (mode_ != mode::replicate) return;
  while (prev_term_ && !pending_.empty() && takes(pending_.front()) && !window_full()) send_entries(now, out);
  // The term before next_ is needed even if there are no more entries: without it, the peer cannot commit, and a new
  // round waits for the next heartbeat.
  if ((!prev_term_ || (pending_.empty() && next_ <= last_)) && !window_full()) fetch(next_, std::nullopt, out);
  // A read waits for this round, and no request has carried it yet.
  if (prev_term_ && sent_round_ < round_ && !window_full()) send(now, {}, 0, out);
}

void replicator::send_entries(time_point now, replicator_output& out) {
  std::vector<entry> batch;
  std::size_t bytes = 0;
  while (!pending_.empty() && takes(pending_.front()) &&
         (batch.empty() || bytes + pending_.front().cost() <= opts_.max_append_bytes)) {
    bytes += pending_.front().cost();
    batch.push_back(std::move(pending_.front()));
    pending_.pop_front();
  }
  pending_bytes_ -= bytes;
  send(now, std::move(batch), bytes, out);
}

void replicator::send(time_point now, std::vector<entry> entries, std::size_t bytes, replicator_output& out) {
  append_request request{head_, 0, 0, commit_, round_, std::move(entries), session_};
  // If the term before next_ is unknown, prev_index stays 0, where all logs agree: the request is only a heartbeat.
  if (prev_term_) {
    request.prev_index = next_ - 1;
    request.prev_term = *prev_term_;
  }
  if (!request.entries.empty()) {
    next_ = request.entries.back().index + 1;
    prev_term_ = request.entries.back().term;
  }
  if (mode_ == mode::replicate) {
    if (inflight_.empty()) inflight_since_ = now;
    inflight_.push_back({request.prev_index + static_cast<index_t>(request.entries.size()), bytes});
    inflight_bytes_ += bytes;
  }
  sent_at_ = now;
  sent_round_ = round_;
  commit_waits_since_.reset();
  out.send.push_back(std::move(request));
}

void replicator::fetch(index_t first, std::optional<term_t> hint_term, replicator_output& out) {
  if (fetching_) return;
  fetching_ = true;
  out.fetch = fetch_request{first, hint_term, opts_.max_append_bytes};
}

bool replicator::window_full() const {
  return inflight_.size() >= opts_.max_inflight_messages || inflight_bytes_ >= opts_.max_inflight_bytes;
}

} // namespace troupe::raft
