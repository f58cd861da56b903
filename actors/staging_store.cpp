#include "actors/staging_store.hpp"

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

struct refusal {
  errc code;
  std::string why;
};

std::string name_of(const raft::snapshot_id& id) {
  return "backup " + raft::to_string(raft::node_id{id.checksum}) + " of index " + std::to_string(id.last.index);
}

} // namespace

staging_store::staging_store(caf::actor_config& config, staging_store_setup setup)
    : staging_handle::base(config), setup_(std::move(setup)) {}

staging_handle::behavior_type staging_store::make_behavior() {
  compat::end_on_exceptions(this);
  look();
  return {
      [this](const stage_piece& m) { return take_in(m); },
      [this](const raft::piece_request& m) { return piece(m); },
      [this](const load_backup& m) { return load(m); },
      [this](const raft::snapshot_taken& m) { on_snapshot(m); },
      [this](const timer& m) {
        if (!timer_.fired(m) || !incoming_) return;
        if (clock().now() < incoming_.given_up_at()) return timer_.arm(this, incoming_.given_up_at());
        log().info("{} is not sent on", name_of(incoming_.id()));
        incoming_.forget();
      },
  };
}

void staging_store::on_exit() {
  incoming_.forget();
  open_.reset();
  setup_.files.reset();
}

/// What an earlier run of this node left. What it had not finished goes.
void staging_store::look() try {
  for (const auto& id : setup_.files->prune(std::numeric_limits<std::size_t>::max()))
    kept_.push_back({id, clock().now()});
} catch (const raft::storage_error& e) {
  log().error("staged backups cannot be looked at: {}", e.what());
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
    answer.code = e.no_space() ? errc::disk_full : errc::refused;
    answer.problem = e.what();
    if (piece.backup == incoming_.id()) incoming_.forget();
  }
  return answer;
}

std::uint64_t staging_store::stage(const stage_piece& piece) {
  if (!piece.backup) throw refusal{errc::refused, "a backup without a size"};
  const auto now = clock().now();
  if (auto* whole = find(piece.backup)) {
    whole->wanted = now;
    check(*whole);
    return piece.backup.size;
  }
  if (incoming_.id() != piece.backup) {
    if (piece.data.empty()) return 0;
    // Nobody else's backup is taken before that one is given up.
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

/// For one more, by dropping one that nobody is about to restore.
void staging_store::make_room() {
  const auto now = clock().now();
  while (kept_.size() >= most_kept) {
    const auto spare = std::find_if(kept_.begin(), kept_.end(),
                                    [&](const backup& b) { return b.used_at == 0 && now - b.wanted >= wanted_for; });
    if (spare == kept_.end())
      throw refusal{errc::refused, "this node keeps " + std::to_string(kept_.size()) +
                                       " other backups, each until its restore is over and in two snapshots, or nobody "
                                       "asked for it in a while: write something and have a snapshot taken, twice, at "
                                       "every node"};
    drop(spare->id);
  }
}

void staging_store::finish() {
  const auto id = incoming_.finish();
  kept_.push_back({id, clock().now()});
  check(kept_.back());
  log().info("{} is here and good", name_of(id));
}

/// Reads all of it, and tries whether the services can go on from it.
void staging_store::check(backup& whole) {
  if (whole.checked) return;
  try {
    raft::snapshot_point at;
    load_machines(*setup_.files, whole.id, setup_.services, at);
    whole.checked = true;
  } catch (const raft::storage_error&) {
    // One that is in the log already may yet be of use to a later version of this program.
    if (whole.used_at == 0) drop(whole.id);
    throw;
  }
}

backup_loaded staging_store::load(const load_backup& question) {
  auto* whole = find(question.backup);
  if (!whole) return {question.at, nullptr};
  whole->used_at = std::max(whole->used_at, question.at);
  try {
    auto state = std::make_shared<loaded_state>();
    state->id = whole->id;
    state->machines = load_machines(*setup_.files, whole->id, setup_.services, state->at);
    return {question.at, std::move(state)};
  } catch (const raft::storage_error& e) {
    log().error("{} cannot be loaded: {}", name_of(whole->id), e.what());
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
    if (b.used_at > 0 ? taken.oldest_kept >= b.used_at : now - b.wanted >= kept_unused_for) spare.push_back(b.id);
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
