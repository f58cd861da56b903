// The part of the dispatcher that takes snapshots and adopts those of other nodes.
#include "actors/replica/dispatcher.hpp"

#include <algorithm>
#include <troupe/printable.hpp>
#include <utility>

namespace troupe {
namespace {

constexpr auto snapshot_retry_delay = std::chrono::seconds{10};
/// After a snapshot, the next requested one waits for pause_share times as long as writing took, but at most for
/// longest_pause. Requests that arrive in the meantime share that snapshot.
constexpr auto pause_share = 3;
constexpr auto longest_pause = std::chrono::seconds{60};
/// The status mentions a snapshot that takes longer than this: it is large, or the disk hangs.
constexpr auto long_writing = std::chrono::seconds{10};
/// Limit of requests that wait for a snapshot. Requests whose callers have given up still count.
constexpr std::size_t max_requests = 256;

} // namespace

void dispatcher::adopt(const adopt_state& message) {
  auto& state = *message.state;
  if (state.at.last.index <= handed_.index) return discard(state);
  replace_states(state);
  handed_ = state.at.last;
  target_ = std::max(target_, handed_.index);
  members_at_ = state.at.configuration_index;
  members_ = state.at.members;
  state_lost_ = false;
  restoring_.reset(); // the snapshot is beyond that entry
  // The node that took the snapshot ran all services.
  missing_service_.clear();
  if (state.id.last.index > newest_.last.index) newest_ = state.id;
  schedule_.taken();
  schedule_.wrote(state.id.size);
  answer_snapshot_requests();
  outstanding_batch covered;
  covered.last = handed_.index;
  covered.covered = true;
  add_batch(std::move(covered));
}

/// Appends a batch without commands for services. Its outcome waits for the batches before it.
void dispatcher::add_batch(outstanding_batch alone) {
  outstanding_.push_back(std::move(alone));
  applied_batch nothing;
  collect(nothing);
  serve_waiting();
}

void dispatcher::replace_states(loaded_state& state) {
  for (const auto& [name, service] : services_) {
    auto& machine = state.machines.at(name);
    resized(service.address(), machine->state_bytes());
    send(service, replace_state{std::make_shared<std::unique_ptr<detail::machine>>(std::move(machine))});
  }
}

/// Frees an unused state on the snapshot store's thread, as it may be large.
void dispatcher::discard(loaded_state& state) {
  for (auto& [name, machine] : state.machines)
    if (machine)
      send(snapshots_, discarded_state{std::make_shared<std::unique_ptr<detail::machine>>(std::move(machine))});
}

/// Why no snapshot can be taken now; empty if one can.
std::string dispatcher::why_no_snapshot() const {
  // A snapshot would cover the skipped commands, and compaction would then remove them from the log.
  if (!missing_service_.empty())
    return "the log holds commands of the service " + printable(missing_service_) + ", which this program does not run";
  return snapshot_error_;
}

std::string dispatcher::unfinished_snapshot() const {
  const auto time = std::chrono::duration_cast<std::chrono::seconds>(clock().now() - began_at_);
  if (!writing_ || time < long_writing) return {};
  return "the snapshot started " + std::to_string(time.count()) + " s ago is not written yet";
}

void dispatcher::snapshot_if_due() {
  if (schedule_.due() || newest_.last.index < restored_at_) take_snapshot_now();
}

void dispatcher::take_snapshot_now() {
  if (viewing_ || writing_ || backing_off_ || !missing_service_.empty() || handed_.index <= newest_.last.index) return;
  schedule_.taken();
  began_at_ = clock().now();
  viewing_ = viewing{++last_view_, {{handed_, members_at_, members_}, {}}, services_.size()};
  for (const auto& [name, service] : services_) send(service, view_state{last_view_});
  if (services_.empty()) collect_view({last_view_, nullptr});
}

void dispatcher::collect_view(const state_view& answer) {
  if (!viewing_ || answer.number != viewing_->number) return;
  if (answer.view) {
    const auto from = std::find_if(services_.begin(), services_.end(),
                                   [&](const auto& s) { return s.second.address() == current_sender(); });
    viewing_->what.views.emplace_back(from->first, answer.view);
    if (--viewing_->missing > 0) return;
  }
  write_when_durable(std::exchange(viewing_, std::nullopt)->what);
}

/// Applied entries are committed, but may not be on this disk yet. If such a snapshot were written before them, it
/// could reach beyond the end of the log after a crash. The log would then begin after the snapshot, and the previous
/// snapshot would be useless.
void dispatcher::write_when_durable(write_snapshot what) {
  writing_ = true;
  request(log_, caf::infinite, sync_log{})
      .then([this, what = std::move(what)](const log_synced&) mutable { send(snapshots_, std::move(what)); },
            [](const caf::error&) {}); // if the log store fails, the whole replica ends
}

void dispatcher::on_written(const snapshot_written& result) {
  writing_ = false;
  const auto now = clock().now();
  next_requested_at_ = now + std::min<raft::duration>(pause_share * (now - began_at_), longest_pause);
  snapshot_error_ = result.error;
  if (result.error.empty()) {
    if (result.id.last.index > newest_.last.index) newest_ = result.id;
    schedule_.wrote(result.id.size);
  } else {
    backing_off_ = true;
    retry_at_ = now + snapshot_retry_delay;
    timer_.arm(this, retry_at_);
  }
  answer_snapshot_requests();
  snapshot_if_due();
  if (!snapshot_requests_.empty()) take_requested_snapshot();
}

/// Takes a requested snapshot, after a pause since the previous one.
void dispatcher::take_requested_snapshot() {
  if (clock().now() < next_requested_at_) return timer_.arm(this, next_requested_at_);
  take_snapshot_now();
}

/// Answers the requests that the newest snapshot satisfies, or all if no snapshot can be taken. The others wait for the
/// next one.
void dispatcher::answer_snapshot_requests() {
  const bool none = backing_off_ || !missing_service_.empty();
  std::erase_if(snapshot_requests_, [&](auto& asked) {
    auto& [reach, promise] = asked;
    if (newest_.last.index >= reach)
      promise.deliver(snapshot_result{newest_});
    else if (none)
      promise.deliver(make_error({errc::refused, "cannot take a snapshot now: " + why_no_snapshot(), {}, {}}));
    else
      return false;
    return true;
  });
}

void dispatcher::on_lost(const raft::snapshot_id& id) {
  if (newest_ != id) return;
  newest_ = {};
  take_snapshot_now();
}

caf::result<snapshot_result> dispatcher::on_take_snapshot() {
  if (!viewing_ && !writing_ && handed_.index == newest_.last.index && newest_) return snapshot_result{newest_};
  auto promise = make_response_promise<snapshot_result>();
  if (handed_.index == 0) {
    promise.deliver(make_error({errc::not_ready, "nothing is applied yet", {}, {}}));
    return promise;
  }
  if (backing_off_ || !missing_service_.empty()) {
    promise.deliver(make_error({errc::refused, "cannot take a snapshot now: " + why_no_snapshot(), {}, {}}));
    return promise;
  }
  if (snapshot_requests_.size() >= max_requests) {
    const auto unfinished = unfinished_snapshot();
    promise.deliver(make_error({errc::overloaded,
                                "too many requests wait for a snapshot" + (unfinished.empty() ? "" : ": " + unfinished),
                                {},
                                {}}));
    return promise;
  }
  snapshot_requests_.emplace_back(handed_.index, promise);
  take_requested_snapshot();
  return promise;
}

} // namespace troupe
