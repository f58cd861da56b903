#include "actors/replica/log_store.hpp"

#include "actors/log.hpp"

#include <algorithm>
#include <utility>

namespace troupe {
namespace {

constexpr auto look_again_after = std::chrono::seconds{1};
/// After an error that passes by itself.
constexpr auto try_again_after = std::chrono::milliseconds{50};
/// The log speaks of one trouble so often.
constexpr auto complain_every = std::chrono::seconds{10};

/// Why this actor ends. After a full disk the node restarts its core; what a disk that failed holds is unknown.
caf::error as_reason(const std::exception& e) {
  const auto* of_disk = dynamic_cast<const raft::storage_error*>(&e);
  if (!of_disk || of_disk->temporary()) return compat::reason_of(e);
  return make_error({of_disk->no_space() ? errc::disk_full : errc::disk_failed, e.what(), {}, {}});
}

} // namespace

log_store::log_store(caf::actor_config& config, std::unique_ptr<raft::storage> storage, const raft::recovered& disk,
                     links_handle links)
    : log_store_handle::base(config), storage_(std::move(storage)), links_(std::move(links)), start_(disk.start),
      terms_(disk.terms), applied_{0, disk.last_index, disk.terms.empty() ? start_.term : disk.terms.back().term},
      durable_(applied_), has_room_(disk.has_room) {}

log_store_handle::behavior_type log_store::make_behavior() {
  compat::end_on_exceptions(this, as_reason);
  if (!has_room_) log().error("the disk is full: this node takes no commands until there is room");
  look_for_room();
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

void log_store::on_exit() {
  // Handles of actors that hold one of this one: without this none of them would ever be freed.
  role_ = nullptr;
  links_ = nullptr;
  for (auto& [question, promise] : reads_) promise.deliver(log_piece{});
  reads_.clear();
  // What they wait for may not be on disk, and nobody will put it there.
  for (auto& promise : syncs_) promise.deliver(make_error({errc::stopping, "the log ended before its sync", {}, {}}));
  syncs_.clear();
  // The files close now, not when the last handle to this actor goes: a restart waits for the end of this actor.
  storage_.reset();
}

void log_store::store(const store_write& message) {
  if (!message.change.empty()) {
    storage_->apply(message.change);
    follow(message.change);
    dirty_ = true;
  }
  waiting_.insert(waiting_.end(), message.then_send.begin(), message.then_send.end());
  if (collecting_) return;
  // Whatever is in the mailbox already shares this sync.
  collecting_ = true;
  send(this, flush{});
}

void log_store::sync() {
  collecting_ = false;
  if (dirty_ && !sync_storage()) return;
  const bool moved = std::exchange(dirty_, false);
  durable_ = applied_;
  // The role hears of it before any peer can answer what leaves now.
  if (moved && role_) send(role_, log_synced{durable_});
  // The promises that the disk now keeps go straight to the peers; they were true for the role that made them.
  if (!waiting_.empty()) send(links_, outbound{std::exchange(waiting_, {})});
  for (auto& promise : std::exchange(syncs_, {})) promise.deliver(log_synced{durable_});
  if (moved && has_room_) look_for_room();
}

/// False when it is to be tried again; what comes meanwhile joins it.
bool log_store::sync_storage() {
  try {
    storage_->sync();
    return true;
  } catch (const raft::storage_error& e) {
    if (!e.temporary()) throw;
    put_off(e);
  }
  sync_waits_ = collecting_ = true;
  return false;
}

caf::result<log_piece> log_store::read(const read_log& question) {
  try {
    return log_piece{storage_->read(question.first, question.last, question.max_bytes)};
  } catch (const raft::storage_error& e) {
    if (!e.temporary()) throw;
    put_off(e);
  }
  reads_.emplace_back(question, make_response_promise<log_piece>());
  return reads_.back().second;
}

caf::result<log_synced> log_store::when_synced() {
  if (!dirty_) return log_synced{durable_};
  syncs_.push_back(make_response_promise<log_synced>());
  return syncs_.back();
}

void log_store::put_off(const raft::storage_error& why) {
  const auto now = clock().now();
  try_again_at_ = now + try_again_after;
  arm_timer();
  if (now < complained_at_ + complain_every) return;
  complained_at_ = now;
  log().error("the log cannot go on for the moment, and tries again: {}", why.what());
}

void log_store::on_time() {
  const auto now = clock().now();
  const auto is_due = [now](std::optional<raft::time_point>& when) {
    const bool due = when && *when <= now;
    if (due) when.reset();
    return due;
  };
  if (is_due(try_again_at_)) try_again();
  if (is_due(look_again_at_)) look_for_room();
  arm_timer();
}

void log_store::arm_timer() {
  timer_.arm(this, try_again_at_);
  timer_.arm(this, look_again_at_);
}

void log_store::try_again() {
  if (std::exchange(sync_waits_, false)) sync();
  std::erase_if(reads_, [this](auto& waiting) {
    auto& [question, promise] = waiting;
    try {
      promise.deliver(log_piece{storage_->read(question.first, question.last, question.max_bytes)});
      return true;
    } catch (const raft::storage_error& e) {
      if (!e.temporary()) throw;
      put_off(e);
      return false;
    }
  });
}

void log_store::look_for_room() {
  const bool had = std::exchange(has_room_, storage_->has_room());
  if (!has_room_) look_again_at_ = clock().now() + look_again_after;
  arm_timer();
  if (had == has_room_) return;
  if (has_room_)
    log().warn("the disk has room again");
  else
    log().error("the disk is full: this node takes no more commands until there is room");
  if (role_) send(role_, raft::disk_space{has_room_});
}

void log_store::follow(const raft::write& change) {
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
