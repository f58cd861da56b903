#include "raft/peer_table.hpp"

#include <algorithm>

namespace troupe::raft {

bool peer_table::add(node_id peer, index_t last, time_point now) {
  const auto [at, added] = peers_.try_emplace(peer);
  if (!added) return false;
  auto& p = at->second;
  p.session = first_session_;
  p.heard = p.catching_up_since = now;
  p.goal = last;
  return true;
}

void peer_table::drop(node_id peer) {
  // Far beyond any session that the peer's replicator can have reached.
  first_session_ = std::max(first_session_, peers_.at(peer).session + (std::uint64_t{1} << 32));
  peers_.erase(peer);
}

void peer_table::follow(const configuration& members, index_t at) {
  for (auto& [id, p] : peers_) {
    if (members.is_member(id)) {
      p.left_at = 0;
      p.notify_until.reset();
    } else if (p.left_at == 0) {
      p.left_at = at;
    }
  }
}

void peer_table::notify_leavers(time_point until) {
  for (auto& [id, p] : peers_)
    if (p.left_at > 0 && !p.notify_until) p.notify_until = until;
}

std::vector<node_id> peer_table::silent_leavers(time_point now) const {
  std::vector<node_id> silent;
  for (const auto& [id, p] : peers_)
    if (p.notify_until && now >= *p.notify_until) silent.push_back(id);
  return silent;
}

std::optional<time_point> peer_table::next_due() const {
  std::optional<time_point> next;
  for (const auto& [id, p] : peers_)
    if (p.notify_until && (!next || *p.notify_until < *next)) next = p.notify_until;
  return next;
}

const peer_progress* peer_table::find(node_id peer) const {
  const auto found = peers_.find(peer);
  return found == peers_.end() ? nullptr : &found->second;
}

bool peer_table::responds(node_id peer, time_point now) const {
  const auto* p = find(peer);
  return p && p->answered && now - p->heard < opts_.election_max;
}

bool peer_table::has_caught_up(node_id peer, time_point now) const {
  const auto* p = find(peer);
  return p && p->keeps_up && !p->ineligible && now - p->catching_up_since < opts_.election_min;
}

node_id peer_table::best_successor(const std::vector<member>& voters, time_point now) const {
  node_id best;
  for (const auto& m : voters) {
    const auto* p = find(m.id);
    if (!p || p->ineligible || now - p->heard >= opts_.election_min) continue;
    if (!best || p->match > at(best).match) best = m.id;
  }
  return best;
}

bool peer_table::voters_have_all(const configuration& members, index_t last, bool patient, time_point now) const {
  bool followed = false;
  for (const auto& [id, p] : peers_) {
    if (!members.is_voter(id) || now - p.heard > opts_.election_min) continue;
    const bool has_all = p.match == last;
    if (!has_all && patient) return false;
    followed = followed || has_all;
  }
  return followed;
}

bool peer_table::note(const peer_report& what, index_t last) {
  const auto found = peers_.find(what.peer);
  if (found == peers_.end() || what.session < found->second.session) return false;
  auto& p = found->second;
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
  p.heard = std::max(p.heard, what.heard);
  p.answered = true;
  p.ineligible = what.ineligible;
  if (p.match >= p.goal) {
    p.keeps_up = what.heard - p.catching_up_since < opts_.election_min;
    p.catching_up_since = what.heard;
    p.goal = last;
  }
  return true;
}

bool peer_table::note_transfer(const peer_report& what, index_t last) {
  auto& p = peers_.at(what.peer);
  const auto& transfer = what.transfer;
  const bool other =
      transfer && transfer->snapshot &&
      (!p.from_snapshot || (!p.from_snapshot->keeps_log() && p.from_snapshot->snapshot() != transfer->snapshot));
  if (other) {
    p.from_snapshot.emplace(*transfer, p.match, what.heard);
    // Only a round of catching up that begins now can show that the peer keeps up.
    p.keeps_up = false;
    p.catching_up_since = what.heard;
    p.goal = last;
  }
  if (!p.from_snapshot) return false;
  p.from_snapshot->note(transfer, p.match, what.heard);
  if (transfer || !p.keeps_up) return false;
  p.from_snapshot.reset();
  return true;
}

index_t peer_table::pinned() const {
  auto lowest = nothing_pinned;
  for (const auto& [id, p] : peers_)
    if (p.from_snapshot && p.from_snapshot->keeps_log()) lowest = std::min(lowest, p.from_snapshot->needs_behind());
  return lowest;
}

std::vector<log_released> peer_table::release_logs(const log_view& log, index_t compactable, time_point now) {
  std::vector<log_released> released;
  for (auto& [id, p] : peers_) {
    if (!p.from_snapshot || !p.from_snapshot->keeps_log()) continue;
    const auto behind = p.from_snapshot->needs_behind();
    if (behind >= compactable) continue;
    const auto bytes = log.bytes_behind(behind);
    const auto why = p.from_snapshot->exceeded(opts_, bytes, now);
    if (!why) continue;
    p.from_snapshot->release_log();
    released.push_back({id, *why, bytes, p.from_snapshot->age(now)});
  }
  for (auto& [id, p] : peers_)
    if (p.from_snapshot && !p.from_snapshot->keeps_log() && now - p.heard > 10 * opts_.election_max)
      p.from_snapshot.reset();
  return released;
}

std::vector<transfer_status> peer_table::transfers(const log_view& log, time_point now) const {
  std::vector<transfer_status> all;
  for (const auto& [id, p] : peers_) {
    if (!p.from_snapshot) continue;
    auto one = p.from_snapshot->status(now);
    one.peer = id;
    if (p.from_snapshot->keeps_log()) one.log_bytes = log.bytes_behind(p.from_snapshot->needs_behind());
    all.push_back(one);
  }
  return all;
}

} // namespace troupe::raft
