#include "actors/replica/snapshot_taker.hpp"

#include <algorithm>
#include <chrono>
#include <troupe/printable.hpp>
#include <utility>

namespace troupe {
namespace {

constexpr auto snapshot_retry_delay = std::chrono::seconds{10};
/// After a snapshot, the next requested one waits for pause_share times as long as writing took, but at most for
/// longest_pause.
constexpr auto pause_share = 3;
constexpr auto longest_pause = std::chrono::seconds{60};
/// The status mentions a snapshot that takes longer than this: it is large, or the disk hangs.
constexpr auto long_writing = std::chrono::seconds{10};

} // namespace

snapshot_taker::snapshot_taker(const snapshot_policy& policy, std::uint64_t seed, const raft::snapshot_id& newest)
    : schedule_(policy, seed), newest_(newest) {
  schedule_.wrote(newest_.size);
}

void snapshot_taker::restored(index_t at, const raft::snapshot_id& backup) {
  restored_at_ = at;
  // The backup replaces the state, so the skipped commands no longer matter.
  missing_service_.clear();
  schedule_.wrote(backup.size);
}

void snapshot_taker::adopted(const raft::snapshot_id& snapshot) {
  // The node that took the snapshot ran all services.
  missing_service_.clear();
  if (snapshot.last.index > newest_.last.index) newest_ = snapshot;
  schedule_.taken();
  schedule_.wrote(snapshot.size);
}

bool snapshot_taker::lost(const raft::snapshot_id& snapshot) {
  if (newest_ != snapshot) return false;
  newest_ = {};
  return true;
}

void snapshot_taker::skipped_commands_of(const std::string& service) {
  if (missing_service_.empty()) missing_service_ = service;
}

std::uint64_t snapshot_taker::begin(const raft::snapshot_point& at, std::size_t services, raft::time_point now) {
  schedule_.taken();
  began_at_ = now;
  collecting_ = collecting{++last_number_, {at, {}}, services};
  return last_number_;
}

void snapshot_taker::add_view(const std::string& service, const state_view& view) {
  if (!collecting_ || view.number != collecting_->number) return;
  collecting_->what.views.emplace_back(service, view.view);
  --collecting_->missing;
}

std::optional<write_snapshot> snapshot_taker::take_complete() {
  if (!collecting_ || collecting_->missing > 0) return std::nullopt;
  writing_ = true;
  return std::exchange(collecting_, std::nullopt)->what;
}

void snapshot_taker::written(const snapshot_written& result, raft::time_point now) {
  writing_ = false;
  next_requested_at_ = now + std::min<raft::duration>(pause_share * (now - began_at_), longest_pause);
  error_ = result.error;
  if (!result.error.empty()) {
    retry_at_ = now + snapshot_retry_delay;
    return;
  }
  if (result.id.last.index > newest_.last.index) newest_ = result.id;
  schedule_.wrote(result.id.size);
}

std::string snapshot_taker::objection() const {
  if (!missing_service_.empty())
    return "the log holds commands of the service " + printable(missing_service_) + ", which this program does not run";
  return error_;
}

std::string snapshot_taker::unfinished(raft::time_point now) const {
  const auto time = std::chrono::duration_cast<std::chrono::seconds>(now - began_at_);
  if (!writing_ || time < long_writing) return {};
  return "the snapshot started " + std::to_string(time.count()) + " s ago is not written yet";
}

} // namespace troupe
