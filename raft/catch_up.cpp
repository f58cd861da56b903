#include "raft/catch_up.hpp"

#include <algorithm>
#include <chrono>

namespace troupe::raft {
namespace {

/// A peer that receives nothing for this long makes no progress. With a low rate limit, the chunks themselves are far
/// apart.
duration progress_timeout(const options& opts) {
  duration between{};
  if (opts.snapshot_bytes_per_second > 0)
    between = std::chrono::seconds{opts.snapshot_chunk_bytes / opts.snapshot_bytes_per_second + 1};
  return 30 * opts.election_max + 2 * between;
}

} // namespace

catch_up::catch_up(const snapshot_transfer& first, index_t match, time_point now)
    : snapshot_(first.snapshot), arrived_(first.arrived), match_(match), began_(now), max_arrived_(first.arrived),
      first_arrived_(first.arrived), progress_at_(now) {}

void catch_up::note(const std::optional<snapshot_transfer>& transfer, index_t match, time_point now) {
  // A peer that has the whole snapshot is busy loading it, which counts as progress.
  bool progress = match > match_ || (transfer && transfer->snapshot && transfer->arrived == transfer->snapshot.size);
  match_ = match;
  sending_ = transfer.has_value();
  if (transfer && transfer->snapshot) {
    if (transfer->snapshot != snapshot_) {
      snapshot_ = transfer->snapshot;
      first_arrived_ = max_arrived_ = transfer->arrived;
      began_ = progress_at_ = now;
    }
    arrived_ = transfer->arrived;
    progress = progress || arrived_ > max_arrived_;
    max_arrived_ = std::max(max_arrived_, arrived_);
  }
  if (progress) progress_at_ = now;
}

std::optional<log_limit> catch_up::exceeded(const options& opts, std::uint64_t bytes, time_point now) const {
  if (bytes > opts.catch_up_log_bytes) return log_limit::bytes;
  if (now - began_ > opts.catch_up_log_time) return log_limit::time;
  if (now - progress_at_ > progress_timeout(opts)) return log_limit::no_progress;
  return std::nullopt;
}

transfer_status catch_up::status(time_point now) const {
  transfer_status s;
  s.snapshot = snapshot_;
  s.arrived = arrived_;
  s.sending = sending_;
  const auto seconds = std::chrono::duration<double>(now - began_).count();
  if (arrived_ > first_arrived_ && seconds > 0)
    s.bytes_per_second = static_cast<std::uint64_t>(static_cast<double>(arrived_ - first_arrived_) / seconds);
  return s;
}

} // namespace troupe::raft
