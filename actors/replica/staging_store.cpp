#include "actors/replica/staging_store.hpp"

#include "actors/log.hpp"
#include "raft/storage.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace troupe {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t most_kept = 2;
/// A node may be about to restore a backup that it asked for within this.
constexpr auto wanted_for = 10min;
constexpr auto kept_unused_for = 24h;
/// What was read from end to end within this is taken for good.
constexpr auto checked_for = 10min;
constexpr auto load_again_after = 200ms;

struct refusal {
  errc code;
  std::string why;
};

/// What was read is not what was written, or cannot be read: another copy is needed. Not so what this program cannot
/// load.
bool is_bad(const raft::storage_error& e) {
  return !e.temporary() && !e.no_space() && !dynamic_cast<const not_loadable*>(&e);
}

std::string name_of(const raft::snapshot_id& id) {
  return "backup " + raft::to_string(raft::node_id{id.checksum}) + " of index " + std::to_string(id.last.index);
}

} // namespace

staging_store::staging_store(caf::actor_config& config, staging_store_setup setup)
    : staging_handle::base(config), setup_(std::move(setup)) {}

staging_handle::behavior_type staging_store::make_behavior() {
  compat::end_on_exceptions(this);
  try {
    look();
  } catch (const raft::storage_error& e) {
    log().error("staged backups cannot be looked at: {}", e.what());
  }
  return {
      [this](const stage_piece& m) { return take_in(m); },
      [this](const raft::piece_request& m) { return piece(m); },
      [this](const load_backup& m) { return on_load(m); },
      [this](const raft::snapshot_taken& m) { on_snapshot(m); },
      [this](const timer& m) {
        if (!timer_.fired(m)) return;
        load_again();
        if (!incoming_) return;
        if (clock().now() < incoming_.given_up_at()) return timer_.arm(this, incoming_.given_up_at());
        log().info("the transfer of {} is given up: no data for a minute", name_of(incoming_.id()));
        incoming_.forget();
      },
  };
}

void staging_store::on_exit() {
  incoming_.forget();
  open_.reset();
  for (auto& [question, promise] : put_off_) promise.deliver(backup_loaded{question.at, nullptr});
  put_off_.clear();
  setup_.files.reset();
}

/// What an earlier run of this node left. What it had not finished goes. As long as that fails for a temporary reason,
/// whatever depends on it does.
void staging_store::look() {
  if (looked_) return;
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
    looked_ = !e.temporary();
    throw;
  }
  looked_ = true;
}

piece_staged staging_store::take_in(const stage_piece& piece) {
  piece_staged answer{piece.backup, 0, errc::none, {}};
  try {
    answer.next = stage(piece);
  } catch (const refusal& r) {
    answer.code = r.code;
    answer.problem = r.why;
  } catch (const raft::storage_error& e) {
    log().error("{} cannot be staged: {}", name_of(piece.backup), e.what());
    answer.code = e.temporary() ? errc::overloaded : e.no_space() ? errc::disk_full : errc::refused;
    answer.problem = e.what();
    if (piece.backup == incoming_.id() && !e.temporary()) incoming_.forget();
  }
  return answer;
}

std::uint64_t staging_store::stage(const stage_piece& piece) {
  if (!piece.backup) throw refusal{errc::refused, "a backup without a size"};
  look();
  const auto now = clock().now();
  if (is_good(piece.backup)) return piece.backup.size;
  if (incoming_.id() != piece.backup) {
    if (piece.data.empty()) return 0;
    // Another backup is taken only when this one is finished or given up.
    if (incoming_) throw refusal{errc::overloaded, name_of(incoming_.id()) + " is being received"};
    make_room();
    incoming_.begin(setup_.files->receive(piece.backup), piece.backup);
    log().info("{} is being received, {} bytes", name_of(piece.backup), piece.backup.size);
  }
  const auto next = incoming_.take(piece.offset, piece.data.view(), now);
  timer_.arm(this, incoming_.given_up_at());
  if (next < piece.backup.size) return next;
  finish();
  return piece.backup.size;
}

/// For one more, by dropping one that no restore is likely to need.
void staging_store::make_room() {
  const auto now = clock().now();
  while (kept_.size() >= most_kept) {
    const auto spare = std::find_if(kept_.begin(), kept_.end(), [&](const backup& b) {
      return b.used_at == 0 && !b.may_be_restored(now, wanted_for);
    });
    if (spare == kept_.end())
      throw refusal{errc::refused, "this node keeps " + std::to_string(kept_.size()) +
                                       " other backups, each until its restore is over and in two snapshots, or it was "
                                       "not asked for in a while: write something and have a snapshot taken, twice, at "
                                       "every node"};
    drop(spare->id);
  }
}

void staging_store::finish() {
  const auto id = incoming_.id();
  raft::snapshot_point at;
  load_machines([this](const snapshot_section& each) { return incoming_.finish(each); }, setup_.services, at);
  kept_.push_back({id, clock().now(), clock().now()});
  log().info("{} is here and good", name_of(id));
}

/// Whether all of it is here. One that is damaged is not here any more, and may be taken in again.
bool staging_store::is_good(const raft::snapshot_id& id) {
  auto* whole = find(id);
  if (!whole) return false;
  whole->wanted = clock().now();
  try {
    check(*whole);
    return true;
  } catch (const raft::storage_error& e) {
    if (!is_bad(e)) throw;
    set_aside(id, e.what());
    return false;
  }
}

/// Reads all of it, the first time to see whether the services can go on from it.
void staging_store::check(backup& whole) {
  const auto now = clock().now();
  if (whole.checked && now - *whole.checked < checked_for) return;
  try {
    raft::snapshot_point at;
    if (whole.checked)
      setup_.files->load(whole.id, [](std::string_view, services::snapshot_source&) {});
    else
      load_machines(*setup_.files, whole.id, setup_.services, at);
    whole.checked = now;
  } catch (const raft::storage_error& e) {
    // One that is in the log already may yet be of use to a later version of this program.
    if (!is_bad(e) && !e.temporary() && whole.used_at == 0) drop(whole.id);
    throw;
  }
}

/// Its bytes stay for an operator to look at; nothing else knows of it any more.
void staging_store::set_aside(raft::snapshot_id id, const std::string& why) {
  if (open_ && open_->id() == id) open_.reset();
  const auto aside = setup_.files->set_aside(id);
  std::erase_if(kept_, [&](const backup& b) { return b.id == id; });
  log().error("{} is damaged, and can be sent again: {}; {}", name_of(id), why, aside);
}

caf::result<backup_loaded> staging_store::on_load(const load_backup& question) {
  try {
    return load(question);
  } catch (const raft::storage_error& e) {
    log().warn("{} cannot be loaded now: {}", name_of(question.backup), e.what());
  }
  put_off_.emplace_back(question, make_response_promise<backup_loaded>());
  timer_.arm(this, clock().now() + load_again_after);
  return put_off_.back().second;
}

void staging_store::load_again() {
  std::erase_if(put_off_, [this](auto& waiting) {
    auto& [question, promise] = waiting;
    try {
      promise.deliver(load(question));
      return true;
    } catch (const raft::storage_error&) { // it was said when it was put off
      return false;
    }
  });
  if (!put_off_.empty()) timer_.arm(this, clock().now() + load_again_after);
}

/// Throws only what is temporary.
backup_loaded staging_store::load(const load_backup& question) {
  look();
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
      log().error("{} cannot be loaded: {}", name_of(question.backup), e.what());
      return {question.at, nullptr};
    }
    try {
      set_aside(question.backup, e.what());
    } catch (const raft::storage_error& again) {
      log().error("{} is damaged, and could not be set aside: {}", name_of(question.backup), again.what());
    }
    return {question.at, nullptr};
  }
}

raft::snapshot_piece staging_store::piece(const raft::piece_request& question) {
  const auto& id = question.snapshot;
  if (!find(id)) return {};
  try {
    if (!open_ || open_->id() != id) open_ = setup_.files->open(id);
    return {id, question.offset, raft::bytes{open_->read(question.offset, question.max_bytes)}};
  } catch (const raft::storage_error& e) {
    log().error("{} cannot be read: {}", name_of(id), e.what());
    open_.reset();
    return {};
  }
}

void staging_store::on_snapshot(const raft::snapshot_taken& taken) {
  const auto now = clock().now();
  std::vector<raft::snapshot_id> spare;
  for (const auto& b : kept_)
    if (taken.oldest_kept >= b.used_at && !b.may_be_restored(now, b.used_at > 0 ? wanted_for : kept_unused_for))
      spare.push_back(b.id);
  for (const auto& id : spare) {
    try {
      drop(id);
      log().info("{} is needed no more", name_of(id));
    } catch (const raft::storage_error& e) { // the next snapshot is another occasion
      log().warn("{} cannot be removed: {}", name_of(id), e.what());
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
