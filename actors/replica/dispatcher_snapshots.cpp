// The dispatcher's half that takes snapshots and goes on from those of other nodes.
#include "actors/replica/dispatcher.hpp"
#include "raft/base/printable.hpp"

#include <algorithm>
#include <utility>

namespace troupe {
namespace {

constexpr auto rest_after_failure = std::chrono::seconds{10};
/// Requests make the node write its state at most one part in so many of the time, up to this pause: those that come in
/// the meantime share the next snapshot.
constexpr auto pause_share = 3;
constexpr auto longest_pause = std::chrono::seconds{60};
/// Of one that takes longer the status tells: it is large, or the disk hangs.
constexpr auto long_writing = std::chrono::seconds{10};
/// Requests that wait for a snapshot. Those that have given up are still among them.
constexpr std::size_t max_asked = 256;

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
  restoring_.reset(); // it goes beyond
  // The node that made it had all services.
  missing_service_.clear();
  if (state.id.last.index > newest_.last.index) newest_ = state.id;
  schedule_.taken();
  schedule_.wrote(state.id.size);
  answer_askers();
  round covered;
  covered.last = handed_.index;
  covered.covered = true;
  take_turn(std::move(covered));
}

/// Of a round that no service has a part in: behind what services have not answered yet.
void dispatcher::take_turn(round alone) {
  rounds_.push_back(std::move(alone));
  applied_batch nothing;
  collect(nothing);
  serve_waiting();
}

void dispatcher::replace_states(loaded_state& state) {
  for (const auto& [name, service] : services_) {
    auto& machine = state.machines.at(name);
    resized(service.address(), machine->state_bytes());
    send(service, replace_state{std::make_shared<std::unique_ptr<services::machine>>(std::move(machine))});
  }
}

/// A state that is not used is large as well, and is freed on another thread.
void dispatcher::discard(loaded_state& state) {
  for (auto& [name, machine] : state.machines)
    if (machine)
      send(snapshots_, discarded_state{std::make_shared<std::unique_ptr<services::machine>>(std::move(machine))});
}

/// Why none can be taken now; empty if one can.
std::string dispatcher::why_no_snapshot() const {
  // It would stand for what was passed over, and the log would lose it.
  if (!missing_service_.empty())
    return "the log holds commands of the service " + services::printable(missing_service_) +
           ", which this program does not run";
  return snapshot_error_;
}

std::string dispatcher::unfinished_snapshot() const {
  const auto time = std::chrono::duration_cast<std::chrono::seconds>(clock().now() - began_at_);
  if (!writing_ || time < long_writing) return {};
  return "the snapshot that was begun " + std::to_string(time.count()) + " s ago is not written yet";
}

void dispatcher::snapshot_if_due() {
  if (schedule_.due() || newest_.last.index < restored_at_) take_snapshot_now();
}

void dispatcher::take_snapshot_now() {
  if (viewing_ || writing_ || resting_ || !missing_service_.empty() || handed_.index <= newest_.last.index) return;
  schedule_.taken();
  began_at_ = clock().now();
  viewing_ = viewing{++last_view_, {{handed_, members_at_, members_}, {}}, services_.size()};
  for (const auto& [name, service] : services_) send(service, view_state{last_view_});
  if (services_.empty()) gather({last_view_, nullptr});
}

void dispatcher::gather(const state_view& answer) {
  if (!viewing_ || answer.number != viewing_->number) return;
  if (answer.view) {
    const auto from = std::find_if(services_.begin(), services_.end(),
                                   [&](const auto& s) { return s.second.address() == current_sender(); });
    viewing_->what.views.emplace_back(from->first, answer.view);
    if (--viewing_->missing > 0) return;
  }
  write_when_durable(std::exchange(viewing_, std::nullopt)->what);
}

/// What is applied is committed, and may not be on this disk yet. A snapshot of it would outlive the end of the log
/// after a crash: the log would begin behind it then, and the snapshot before would be of no use any more.
void dispatcher::write_when_durable(write_snapshot what) {
  writing_ = true;
  request(log_, caf::infinite, sync_log{})
      .then([this, what = std::move(what)](const log_synced&) mutable { send(snapshots_, std::move(what)); },
            [](const caf::error&) {}); // with the log store, the core ends
}

void dispatcher::on_written(const snapshot_written& result) {
  writing_ = false;
  const auto now = clock().now();
  asked_after_ = now + std::min<raft::duration>(pause_share * (now - began_at_), longest_pause);
  snapshot_error_ = result.error;
  if (result.error.empty()) {
    if (result.id.last.index > newest_.last.index) newest_ = result.id;
    schedule_.wrote(result.id.size);
  } else {
    resting_ = true;
    rests_until_ = now + rest_after_failure;
    timer_.arm(this, rests_until_);
  }
  answer_askers();
  snapshot_if_due();
  if (!asked_.empty()) take_asked_snapshot();
}

/// Not before some time after the last one.
void dispatcher::take_asked_snapshot() {
  if (clock().now() < asked_after_) return timer_.arm(this, asked_after_);
  take_snapshot_now();
}

/// Answers the requests that the newest snapshot serves, or all if none can be taken; the others wait for the next.
void dispatcher::answer_askers() {
  const bool none = resting_ || !missing_service_.empty();
  std::erase_if(asked_, [&](auto& asked) {
    auto& [reach, promise] = asked;
    if (newest_.last.index >= reach)
      promise.deliver(snapshot_result{newest_});
    else if (none)
      promise.deliver(make_error({errc::refused, "no snapshot can be taken now: " + why_no_snapshot(), {}, {}}));
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
  if (resting_ || !missing_service_.empty()) {
    promise.deliver(make_error({errc::refused, "no snapshot can be taken now: " + why_no_snapshot(), {}, {}}));
    return promise;
  }
  if (asked_.size() >= max_asked) {
    const auto unfinished = unfinished_snapshot();
    promise.deliver(make_error({errc::overloaded,
                                "too many requests wait for a snapshot" + (unfinished.empty() ? "" : ": " + unfinished),
                                {},
                                {}}));
    return promise;
  }
  asked_.emplace_back(handed_.index, promise);
  take_asked_snapshot();
  return promise;
}

} // namespace troupe
