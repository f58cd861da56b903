// The part of a leader that keeps its log for the peers that are brought up by a snapshot.
#include "raft/leader.hpp"

#include <algorithm>

namespace troupe::raft {

void leader::note_transfer(progress& p, const peer_report& what, output& out) {
  const auto& transfer = what.transfer;
  const bool other = transfer && transfer->snapshot &&
                     (!p.brought_up || (!p.brought_up->keeps_log() && p.brought_up->snapshot() != transfer->snapshot));
  if (other) {
    p.brought_up.emplace(*transfer, p.match, what.heard);
    // Only a round of catching up that begins now tells that the peer keeps up.
    p.keeps_up = false;
    p.catching_up_since = what.heard;
    p.goal = state_.log().last_index();
  }
  if (!p.brought_up) return;
  p.brought_up->note(transfer, p.match, what.heard);
  if (transfer || !p.keeps_up) return;
  p.brought_up.reset();
  state_.compact(out, pinned());
}

/// Ends what exceeds its limits, and forgets who is gone.
void leader::review_logs(time_point now, output& out) {
  bool released = false;
  for (auto& [id, p] : peers_) {
    if (!p.brought_up || !p.brought_up->keeps_log()) continue;
    const auto behind = p.brought_up->needs_behind();
    // What would be there all the same is not kept for the peer.
    if (behind >= state_.compactable()) continue;
    const auto bytes = state_.log().bytes_behind(behind);
    const auto why = p.brought_up->exceeded(state_.opts(), bytes, now);
    if (!why) continue;
    p.brought_up->release_log();
    released = true;
    out.released_logs.push_back({id, *why, bytes, p.brought_up->age(now)});
  }
  if (released) state_.compact(out, pinned());
  for (auto& [id, p] : peers_)
    if (p.brought_up && !p.brought_up->keeps_log() && now - p.heard > 10 * state_.opts().election_max)
      p.brought_up.reset();
}

index_t leader::pinned() const {
  auto lowest = node_state::nothing_pinned;
  for (const auto& [id, p] : peers_)
    if (p.brought_up && p.brought_up->keeps_log()) lowest = std::min(lowest, p.brought_up->needs_behind());
  return lowest;
}

std::vector<transfer_status> leader::transfers(time_point now) const {
  std::vector<transfer_status> all;
  for (const auto& [id, p] : peers_) {
    if (!p.brought_up) continue;
    auto one = p.brought_up->status(now);
    one.peer = id;
    if (p.brought_up->keeps_log()) one.log_bytes = state_.log().bytes_behind(p.brought_up->needs_behind());
    all.push_back(one);
  }
  return all;
}

} // namespace troupe::raft
