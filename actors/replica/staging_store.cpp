#include "actors/replica/staging_store.hpp"

#include "raft/storage.hpp"

#include <algorithm>
#include <limits>
#include <troupe/log.hpp>
#include <utility>

namespace troupe {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t max_kept = 2;
/// A restore may be about to need a backup that was asked for within this time.
constexpr auto wanted_for = 10min;
constexpr auto kept_unused_for = 24h;
/// A backup that was read completely within this time is not checked again.
constexpr auto checked_for = 10min;
constexpr auto staging_retry_delay = 200ms;

struct refusal {
  errc code;
  std::string why;
};

/// True if the file is damaged or unreadable, so that another copy is needed. False for one that this program cannot
/// load, and for temporary errors.
bool is_bad(const raft::storage_error& e) {
  return !e.temporary() && !e.no_space() && !dynamic_cast<const not_loadable*>(&e);
}

std::string name_of(const raft::snapshot_id& id) {
  return "backup " + raft::to_string(raft::node_id{id.checksum}) + " of index " + std::to_string(id.last.index);
}

} // namespace

staging_store::staging_store(caf::actor_config& config, staging_store_setup setup)
    : compat::typed_base<staging_handle>(config), setup_(std::move(setup)) {}

staging_handle::behavior_type staging_store::make_behavior() {
  compat::end_on_exceptions(this);
  try {
    scan();
  } catch (const raft::storage_error& e) {
    log().error("cannot list the staged backups: {}", e.what());
  }
  return {
      [this](const stage_chunk& m) { return take_in(m); },
      [this](const raft::chunk_request& m) { return chunk(m); },
      [this](const load_backup& m) { return on_load(m); },
      [this](const raft::snapshot_taken& m) { on_snapshot(m); },
      [this](const timer& m) {
        if (!timer_.fired(m)) return;
        retry_loads();
        if (!incoming_) return;
        if (clock().now() < incoming_.expires_at()) return timer_.arm(this, incoming_.expires_at());
        log().info("abandoned the transfer of {}: no data for 60 s", name_of(incoming_.id()));
        incoming_.forget();
      },
  };
}

void staging_store::on_end() {
  incoming_.forget();
  open_.reset();
  for (auto& [question, promise] : postponed_) promise.deliver(backup_loaded{question.at, nullptr});
  postponed_.clear();
  setup_.files.reset();
}

/// Finds the backups that an earlier run of this node left, and removes unfinished ones. While this fails with a
/// temporary error, everything that depends on it fails as well.
void staging_store::scan() {
  if (scanned_) return;
  try {
    for (const auto& id : setup_.files->prune(std::numeric_limits<std::size_t>::max())) {
      kept_.push_back({id, clock().now(), std::nullopt});
      for (const auto& use : setup_.uses) {
        if (use.backup != id) continue;
        kept_.back().used_at = use.at;
        kept_.back().wanted.reset();
      }
    }
  } catch (const raft::storage_error& e) {
    scanned_ = !e.temporary();
    throw;
  }
  scanned_ = true;
}

chunk_staged staging_store::take_in(const stage_chunk& chunk) {
  chunk_staged answer{chunk.backup, 0, errc::none, {}};
  try {
    answer.next = stage(chunk);
  } catch (const refusal& r) {
    answer.code = r.code;
    answer.problem = r.why;
  } catch (const raft::storage_error& e) {
    log().error("cannot stage {}: {}", name_of(chunk.backup), e.what());
    answer.code = e.temporary() ? errc::overloaded : e.no_space() ? errc::disk_full : errc::refused;
    answer.problem = e.what();
    if (chunk.backup == incoming_.id() && !e.temporary()) incoming_.forget();
  }
  return answer;
}

std::uint64_t staging_store::stage(const stage_chunk& chunk) {
  if (!chunk.backup) throw refusal{errc::refused, "the backup has no size"};
  scan();
  const auto now = clock().now();
  if (is_good(chunk.backup)) return chunk.backup.size;
  if (incoming_.id() != chunk.backup) {
    if (chunk.data.empty()) return 0;
    // Another backup is accepted only when the current transfer is finished or abandoned.
    if (incoming_) throw refusal{errc::overloaded, "this node is receiving " + name_of(incoming_.id())};
    make_room();
    incoming_.begin(setup_.files->receive(chunk.backup), chunk.backup);
    log().info("receiving {}, {} bytes", name_of(chunk.backup), chunk.backup.size);
  }
  const auto next = incoming_.take(chunk.offset, chunk.data.view(), now);
  timer_.arm(this, incoming_.expires_at());
  if (next < chunk.backup.size) return next;
  finish();
  return chunk.backup.size;
}

/// Makes room for one more backup by dropping those that no restore is likely to need.
void staging_store::make_room() {
  const auto now = clock().now();
  while (kept_.size() >= max_kept) {
    const auto unneeded = std::find_if(kept_.begin(), kept_.end(), [&](const backup& b) {
      return b.used_at == 0 && !b.may_be_restored(now, wanted_for);
    });
    if (unneeded == kept_.end())
      throw refusal{errc::refused,
                    "this node keeps " + std::to_string(kept_.size()) +
                        " other backups, each until two snapshots cover its restore, or nothing has asked "
                        "for it for a while; to free them, write something and take a snapshot on every "
                        "node, twice"};
    drop(unneeded->id);
  }
}

void staging_store::finish() {
  const auto id = incoming_.id();
  raft::snapshot_point at;
  load_machines([this](const snapshot_section& each) { return incoming_.finish(each); }, setup_.services, at);
  kept_.push_back({id, clock().now(), clock().now()});
  log().info("received {} and found it good", name_of(id));
}

/// True if the backup is complete and undamaged. A damaged one is quarantined, and may be received again.
bool staging_store::is_good(const raft::snapshot_id& id) {
  auto* whole = find(id);
  if (!whole) return false;
  whole->wanted = clock().now();
  try {
    check(*whole);
    return true;
  } catch (const raft::storage_error& e) {
    if (!is_bad(e)) throw;
    quarantine(id, e.what());
    return false;
  }
}

/// Reads all of the backup. The first time, also checks that the services can load it.
void staging_store::check(backup& whole) {
  const auto now = clock().now();
  if (whole.checked && now - *whole.checked < checked_for) return;
  try {
    raft::snapshot_point at;
    if (whole.checked)
      setup_.files->load(whole.id, [](std::string_view, detail::snapshot_source&) {});
    else
      load_machines(*setup_.files, whole.id, setup_.services, at);
    whole.checked = now;
  } catch (const raft::storage_error& e) {
    // A backup that the log already restores is kept, as a later version of this program may be able to load it.
    if (!is_bad(e) && !e.temporary() && whole.used_at == 0) drop(whole.id);
    throw;
  }
}

/// Quarantines a damaged backup: the file stays for an operator to inspect, and the store forgets it.
void staging_store::quarantine(raft::snapshot_id id, const std::string& why) {
  if (open_ && open_->id() == id) open_.reset();
  const auto moved = setup_.files->quarantine(id);
  std::erase_if(kept_, [&](const backup& b) { return b.id == id; });
  log().error("{} is damaged: {}; {}; it can be sent again", name_of(id), why, moved);
}

caf::result<backup_loaded> staging_store::on_load(const load_backup& question) {
  try {
    return load(question);
  } catch (const raft::storage_error& e) {
    log().warn("cannot load {} now, retrying: {}", name_of(question.backup), e.what());
  }
  postponed_.emplace_back(question, make_response_promise<backup_loaded>());
  timer_.arm(this, clock().now() + staging_retry_delay);
  return postponed_.back().second;
}

void staging_store::retry_loads() {
  std::erase_if(postponed_, [this](auto& waiting) {
    auto& [question, promise] = waiting;
    try {
      promise.deliver(load(question));
      return true;
    } catch (const raft::storage_error&) { // already logged at the first attempt
      return false;
    }
  });
  if (!postponed_.empty()) timer_.arm(this, clock().now() + staging_retry_delay);
}

/// Throws only temporary errors.
backup_loaded staging_store::load(const load_backup& question) {
  scan();
  auto* whole = find(question.backup);
  if (!whole) return {question.at, nullptr};
  whole->used_at = std::max(whole->used_at, question.at);
  whole->wanted.reset();
  try {
    auto state = std::make_shared<loaded_state>();
    state->id = whole->id;
    state->machines = load_machines(*setup_.files, whole->id, setup_.services, state->at);
    whole->checked = clock().now();
    return {question.at, std::move(state)};
  } catch (const raft::storage_error& e) {
    if (e.temporary()) throw;
    if (!is_bad(e)) {
      log().error("cannot load {}: {}", name_of(question.backup), e.what());
      return {question.at, nullptr};
    }
    try {
      quarantine(question.backup, e.what());
    } catch (const raft::storage_error& again) {
      log().error("{} is damaged, and quarantining it failed: {}", name_of(question.backup), again.what());
    }
    return {question.at, nullptr};
  }
}

raft::snapshot_chunk staging_store::chunk(const raft::chunk_request& question) {
  const auto& id = question.snapshot;
  if (!find(id)) return {};
  try {
    if (!open_ || open_->id() != id) open_ = setup_.files->open(id);
    return {id, question.offset, raft::bytes{open_->read(question.offset, question.max_bytes)}};
  } catch (const raft::storage_error& e) {
    log().error("cannot read {}: {}", name_of(id), e.what());
    open_.reset();
    return {};
  }
}

void staging_store::on_snapshot(const raft::snapshot_taken& taken) {
  const auto now = clock().now();
  std::vector<raft::snapshot_id> unneeded;
  for (const auto& b : kept_)
    if (taken.oldest_kept >= b.used_at && !b.may_be_restored(now, b.used_at > 0 ? wanted_for : kept_unused_for))
      unneeded.push_back(b.id);
  for (const auto& id : unneeded) {
    try {
      drop(id);
      log().info("removed {}: no longer needed", name_of(id));
    } catch (const raft::storage_error& e) { // retried after the next snapshot
      log().warn("cannot remove {}: {}", name_of(id), e.what());
    }
  }
}

void staging_store::drop(raft::snapshot_id id) {
  if (open_ && open_->id() == id) open_.reset();
  setup_.files->remove(id);
  std::erase_if(kept_, [&](const backup& b) { return b.id == id; });
}

staging_store::backup* staging_store::find(const raft::snapshot_id& id) {
  const auto found = std::find_if(kept_.begin(), kept_.end(), [&](const backup& b) { return b.id == id; });
  return found == kept_.end() ? nullptr : &*found;
}

} // namespace troupe
