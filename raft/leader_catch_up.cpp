// The part of the leader that keeps its log for peers that catch up from a snapshot.
#include "raft/leader.hpp"

#include <algorithm>

namespace troupe::raft {

void leader::note_transfer(progress& p, const peer_report& what, output& out) {
  const auto& transfer = what.transfer;
  const bool other =
      transfer && transfer->snapshot &&
      (!p.from_snapshot || (!p.from_snapshot->keeps_log() && p.from_snapshot->snapshot() != transfer->snapshot));
  if (other) {
    p.from_snapshot.emplace(*transfer, p.match, what.heard);
    // Only a round of catching up that begins now can show that the peer keeps up.
    p.keeps_up = false;
    p.catching_up_since = what.heard;
    p.goal = state_.log().last_index();
  }
  if (!p.from_snapshot) return;
  p.from_snapshot->note(transfer, p.match, what.heard);
  if (transfer || !p.keeps_up) return;
  p.from_snapshot.reset();
  state_.compact(out, pinned());
}

/// Stops keeping log that exceeds its limits, and forgets transfers to silent peers.
void leader::review_logs(time_point now, output& out) {
  bool released = false;
  for (auto& [id, p] : peers_) {
    if (!p.from_snapshot || !p.from_snapshot->keeps_log()) continue;
    const auto behind = p.from_snapshot->needs_behind();
    // This log would be kept without the peer, too.
    if (behind >= state_.compactable()) continue;
    const auto bytes = state_.log().bytes_behind(behind);
    const auto why = p.from_snapshot->exceeded(state_.opts(), bytes, now);
    if (!why) continue;
    p.from_snapshot->release_log();
    released = true;
    out.released_logs.push_back({id, *why, bytes, p.from_snapshot->age(now)});
  }
  if (released) state_.compact(out, pinned());
  for (auto& [id, p] : peers_)
    if (p.from_snapshot && !p.from_snapshot->keeps_log() && now - p.heard > 10 * state_.opts().election_max)
      p.from_snapshot.reset();
}

index_t leader::pinned() const {
  auto lowest = node_state::nothing_pinned;
  for (const auto& [id, p] : peers_)
    if (p.from_snapshot && p.from_snapshot->keeps_log()) lowest = std::min(lowest, p.from_snapshot->needs_behind());
  return lowest;
}

std::vector<transfer_status> leader::transfers(time_point now) const {
  std::vector<transfer_status> all;
  for (const auto& [id, p] : peers_) {
    if (!p.from_snapshot) continue;
    auto one = p.from_snapshot->status(now);
    one.peer = id;
    if (p.from_snapshot->keeps_log()) one.log_bytes = state_.log().bytes_behind(p.from_snapshot->needs_behind());
    all.push_back(one);
  }
  return all;
}

} // namespace troupe::raft
