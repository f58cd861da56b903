#include "actors/replica/log_store.hpp"

#include <algorithm>
#include <troupe/log.hpp>
#include <utility>

namespace troupe {
namespace {

constexpr auto room_check_interval = std::chrono::seconds{1};
/// Delay after a temporary error.
constexpr auto sync_retry_delay = std::chrono::milliseconds{50};
/// Temporary errors are logged at most this often.
constexpr auto log_interval = std::chrono::seconds{10};

/// The exit reason of this actor. After a full disk the node restarts its replica. After a failed disk it does not,
/// since the content of that disk is unknown.
caf::error as_reason(const std::exception& e) {
  const auto* of_disk = dynamic_cast<const raft::storage_error*>(&e);
  if (!of_disk || of_disk->temporary()) return compat::reason_of(e);
  return make_error({of_disk->no_space() ? errc::disk_full : errc::disk_failed, e.what(), {}, {}});
}

} // namespace

log_store::log_store(caf::actor_config& config, std::unique_ptr<raft::storage> storage, const raft::recovered& disk,
                     links_handle links)
    : compat::typed_base<log_store_handle>(config), storage_(std::move(storage)), links_(std::move(links)),
      start_(disk.start),
      terms_(disk.terms), applied_{0, disk.last_index, disk.terms.empty() ? start_.term : disk.terms.back().term},
      durable_(applied_), has_room_(disk.has_room) {}

log_store_handle::behavior_type log_store::make_behavior() {
  compat::end_on_exceptions(this, as_reason);
  if (!has_room_) log().error("the disk is full: this node accepts no commands until there is room");
  check_for_room();
  return {
      [this](const store_write& m) { store(m); },
      [this](const read_log& m) { return read(m); },
      [this](const sync_log&) { return when_synced(); },
      [this](const compact_log& m) { storage_->compact(m.up_to); },
      [this](const attach_role& m) {
        role_ = m.role;
        send(role_, log_synced{durable_});
        send(role_, raft::disk_space{has_room_});
      },
      [this](const role_changed& m) {
        if (m.previous) send(m.previous, drained{m.retiring});
      },
      [this](const flush&) { sync(); },
      [this](const timer& m) {
        if (timer_.fired(m)) on_time();
      },
  };
}

void log_store::on_end() {
  // These actors also hold handles of this one. Without the reset, none of them would ever be freed.
  role_ = nullptr;
  links_ = nullptr;
  for (auto& [question, promise] : reads_) promise.deliver(log_chunk{});
  reads_.clear();
  // The writes that they wait for may not be on disk, and will not be synced any more.
  for (auto& promise : syncs_)
    promise.deliver(make_error({errc::stopping, "the log store stopped before the sync", {}, {}}));
  syncs_.clear();
  // Close the files now, not when the last handle to this actor is released: a restart waits for the end of this actor.
  storage_.reset();
}

void log_store::store(const store_write& message) {
  if (!message.change.empty()) {
    storage_->apply(message.change);
    track(message.change);
    dirty_ = true;
  }
  waiting_.insert(waiting_.end(), message.then_send.begin(), message.then_send.end());
  if (collecting_) return;
  // All writes that are already in the mailbox share this sync.
  collecting_ = true;
  send(this, flush{});
}

void log_store::sync() {
  collecting_ = false;
  if (dirty_ && !sync_storage()) return;
  const bool moved = std::exchange(dirty_, false);
  durable_ = applied_;
  // Notify the role before any peer can answer the messages that are sent now.
  if (moved && role_) send(role_, log_synced{durable_});
  // These messages state what is now durable, so they go directly to the peers. They were correct for the role that
  // wrote them, even if it has been replaced since.
  if (!waiting_.empty()) send(links_, outbound{std::exchange(waiting_, {})});
  for (auto& promise : std::exchange(syncs_, {})) promise.deliver(log_synced{durable_});
  if (moved && has_room_) check_for_room();
}

/// False if the sync must be retried. Writes that arrive in the meantime share the retry.
bool log_store::sync_storage() {
  try {
    storage_->sync();
    return true;
  } catch (const raft::storage_error& e) {
    if (!e.temporary()) throw;
    retry_later(e);
  }
  sync_pending_ = collecting_ = true;
  return false;
}

caf::result<log_chunk> log_store::read(const read_log& question) {
  try {
    return log_chunk{storage_->read(question.first, question.last, question.max_bytes)};
  } catch (const raft::storage_error& e) {
    if (!e.temporary()) throw;
    retry_later(e);
  }
  reads_.emplace_back(question, make_response_promise<log_chunk>());
  return reads_.back().second;
}

caf::result<log_synced> log_store::when_synced() {
  if (!dirty_) return log_synced{durable_};
  syncs_.push_back(make_response_promise<log_synced>());
  return syncs_.back();
}

void log_store::retry_later(const raft::storage_error& why) {
  const auto now = clock().now();
  retry_at_ = now + sync_retry_delay;
  arm_timer();
  if (now < logged_at_ + log_interval) return;
  logged_at_ = now;
  log().error("temporary error of the log, retrying: {}", why.what());
}

void log_store::on_time() {
  const auto now = clock().now();
  const auto is_due = [now](std::optional<raft::time_point>& when) {
    const bool due = when && *when <= now;
    if (due) when.reset();
    return due;
  };
  if (is_due(retry_at_)) retry();
  if (is_due(check_room_at_)) check_for_room();
  arm_timer();
}

void log_store::arm_timer() {
  timer_.arm(this, retry_at_);
  timer_.arm(this, check_room_at_);
}

void log_store::retry() {
  if (std::exchange(sync_pending_, false)) sync();
  std::erase_if(reads_, [this](auto& waiting) {
    auto& [question, promise] = waiting;
    try {
      promise.deliver(log_chunk{storage_->read(question.first, question.last, question.max_bytes)});
      return true;
    } catch (const raft::storage_error& e) {
      if (!e.temporary()) throw;
      retry_later(e);
      return false;
    }
  });
}

void log_store::check_for_room() {
  const bool had = std::exchange(has_room_, storage_->has_room());
  if (!has_room_) check_room_at_ = clock().now() + room_check_interval;
  arm_timer();
  if (had == has_room_) return;
  if (has_room_)
    log().warn("the disk has room again");
  else
    log().error("the disk is full: this node accepts no more commands until there is room");
  if (role_) send(role_, raft::disk_space{has_room_});
}

void log_store::track(const raft::write& change) {
  applied_.number = change.number;
  if (change.reset_to) {
    start_ = *change.reset_to;
    terms_.clear();
    applied_.last_index = start_.index;
  }
  if (change.truncate_from) {
    while (!terms_.empty() && terms_.back().first >= *change.truncate_from) terms_.pop_back();
    applied_.last_index = std::min(applied_.last_index, *change.truncate_from - 1);
  }
  for (const auto& e : change.append) {
    if (terms_.empty() || terms_.back().term != e.term) terms_.push_back({e.index, e.term});
    applied_.last_index = e.index;
  }
  applied_.last_term = terms_.empty() ? start_.term : terms_.back().term;
}

} // namespace troupe
