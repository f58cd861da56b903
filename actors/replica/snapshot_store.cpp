#include "actors/replica/snapshot_store.hpp"

#include "actors/log.hpp"
#include "actors/threads.hpp"
#include "raft/storage.hpp"

#include <algorithm>
#include <utility>

namespace troupe {
namespace {

/// One to start from, and one before it in case the first turns out damaged.
constexpr std::size_t kept_snapshots = 2;
constexpr std::size_t most_open = 4;
/// Each keeps a file on the disk that may have lost its name.
constexpr std::size_t most_downloads = 8;
/// A client that takes a piece of a backup has half of this for it.
constexpr auto download_patience = std::chrono::seconds{60};

std::string place(const raft::log_position& at) { return "index " + std::to_string(at.index); }

} // namespace

snapshot_store::snapshot_store(caf::actor_config& config, snapshot_store_setup setup)
    : snapshot_store_handle::base(config), setup_(std::move(setup)) {}

snapshot_store_handle::behavior_type snapshot_store::make_behavior() {
  compat::end_on_exceptions(this);
  set_exit_handler([this](const caf::exit_msg& message) { leave(message.reason); });
  return {
      [this](const write_snapshot& m) {
        if (!leaving_) begin<snapshot_write_job>(m);
      },
      [this](const snapshot_written& m) {
        written(m);
        job_ended();
      },
      [this](const store_piece& m) { take_in(m.piece); },
      [](const discarded_state& m) { m.machine->reset(); },
      [this](const doubt_snapshot& m) {
        // One that was found whole is not read again and again for a follower that cannot use it for its own reasons.
        if (m.id != whole_) check(m.id);
      },
      [this](const snapshot_checked& m) {
        checked(m);
        job_ended();
      },
      [this](const raft::piece_request& m) { return piece(m); },
      [this](const open_backup& m) -> caf::result<backup_opened> {
        try {
          return open_for_reader(m.snapshot);
        } catch (const raft::storage_error& e) {
          return make_error({e.temporary() ? errc::overloaded : errc::refused, e.what(), {}, {}});
        }
      },
      [this](const read_backup& m) { return read_for_reader(m); },
      [this](const close_backup& m) { downloads_.erase(m.download); },
      [this](const attach_dispatcher& m) { dispatcher_ = m.dispatcher; },
      [this](const role_changed& m) {
        role_ = m.role;
        if (m.previous) send(m.previous, drained{m.retiring});
      },
      [this](const timer& m) {
        if (timer_.fired(m)) on_time();
      },
  };
}

void snapshot_store::on_exit() {
  *stop_jobs_ = true;
  dispatcher_ = nullptr;
  role_ = nullptr;
  incoming_.forget();
  open_.clear();
  downloads_.clear();
  setup_.files.reset();
  setup_.staging = nullptr;
}

/// The job answers as it does when it has failed.
void snapshot_store::cannot_begin(const write_snapshot&, const std::string& why) {
  send(snapshot_store_handle{this}, snapshot_written{{}, why});
}
void snapshot_store::cannot_begin(const raft::snapshot_id& what, const std::string& why) {
  send(snapshot_store_handle{this}, snapshot_checked{what, {}, why});
}

template <class Job, class What> void snapshot_store::begin(const What& what) {
  ++jobs_;
  const thread_check check{setup_.detach_jobs ? 1u : 0u};
  if (!check.objection().empty()) return cannot_begin(what, check.objection());
  snapshot_job_context context{setup_.files, stop_jobs_, snapshot_store_handle{this}};
  if (setup_.detach_jobs)
    spawn<Job, caf::detached>(std::move(context), what);
  else
    spawn<Job>(std::move(context), what);
}

void snapshot_store::job_ended() {
  if (--jobs_ == 0 && leaving_) quit(*leaving_);
}

void snapshot_store::leave(const caf::error& reason) {
  leaving_ = reason;
  *stop_jobs_ = true;
  // A job that is left alone would go on beside the files' next owner.
  if (jobs_ == 0) quit(reason);
}

void snapshot_store::written(const snapshot_written& message) {
  if (!message.error.empty()) {
    log().error("no snapshot could be written: {}", message.error);
  } else {
    log().info("snapshot at {} written, {} bytes", place(message.id.last), message.id.size);
    auto oldest = message.id.last.index;
    try {
      // The log goes on from the older of two snapshots. While there is one alone, or this one did not stay because
      // others reach further, it loses nothing: the next file that turns out damaged would be the state.
      const auto kept = setup_.files->prune(kept_snapshots);
      const bool stayed = std::find(kept.begin(), kept.end(), message.id) != kept.end();
      oldest = stayed && kept.size() == kept_snapshots ? kept.back().last.index : 0;
    } catch (const raft::storage_error& e) {
      // What is not removed now is removed the next time, and meanwhile the log stays as it is.
      log().warn("old snapshots could not be removed: {}", e.what());
      oldest = 0;
    }
    const raft::snapshot_taken taken{message.id.last, oldest};
    if (role_) send(role_, taken);
    if (setup_.staging) send(setup_.staging, taken);
  }
  if (dispatcher_) send(dispatcher_, message);
}

/// One at a time.
void snapshot_store::check(const raft::snapshot_id& id) {
  if (!id || checking_ || leaving_) return;
  checking_ = id;
  log().warn("the snapshot at {} is in doubt: it is read again", place(id.last));
  begin<snapshot_check_job>(id);
}

void snapshot_store::checked(const snapshot_checked& result) {
  checking_ = {};
  if (!result.trouble.empty()) return log().warn("the snapshot cannot be read now: {}", result.trouble);
  if (result.damage.empty()) {
    whole_ = result.id;
    return;
  }
  std::erase_if(open_, [&](const auto& bytes) { return bytes->id() == result.id; });
  try {
    log().error("{}; {}", result.damage, setup_.files->set_aside(result.id));
  } catch (const raft::storage_error& e) {
    log().error("{}, and it is not surely set aside: {}", result.damage, e.what());
  }
  // The snapshot no longer counts, even where the file kept its name.
  if (dispatcher_) send(dispatcher_, snapshot_lost{result.id});
}

void snapshot_store::take_in(const raft::snapshot_request& piece) {
  piece_stored answer{{piece.head.from, piece.snapshot, piece.offset, 0, piece.round, false, {}}, nullptr};
  try {
    take_in(piece, answer);
  } catch (const raft::storage_error& e) {
    // The role passes on no other piece before this one is answered. What has arrived is kept after a temporary error:
    // the leader asks again in a while, and goes on from there.
    if (e.temporary()) {
      log().warn("a piece of a snapshot cannot be taken now: {}", e.what());
    } else {
      log().error("a snapshot of node {} could not be taken in: {}", to_string(piece.head.from), e.what());
      incoming_.forget();
    }
    answer.what.next = 0;
    answer.what.failed = true;
    answer.what.no_room = e.no_space();
  }
  // Also after a failure: what it left must not pile up.
  if (answer.what.failed || answer.what.complete) prune();
  if (role_) send(role_, std::move(answer));
}

void snapshot_store::take_in(const raft::snapshot_request& piece, piece_stored& answer) {
  const auto& id = piece.snapshot;
  raft::snapshot_point at;
  const auto here = setup_.files->list();
  // The word of it was lost on the way, or the role that got it had other things to do.
  if (std::find(here.begin(), here.end(), id) != here.end()) {
    auto machines = load_again(id, at);
    return answer_loaded(id, at, std::move(machines), answer);
  }
  if (!incoming_ || incoming_.id() != id) {
    incoming_.forget();
    incoming_.begin(setup_.files->receive(id), id);
    log().info("node {} sends its snapshot at {}, {} bytes", to_string(piece.head.from), place(id.last), id.size);
  }
  answer.what.next = incoming_.take(piece.offset, piece.data.view(), clock().now());
  arm_timer();
  if (answer.what.next < id.size) return;
  auto machines =
      load_machines([this](const snapshot_section& each) { return incoming_.finish(each); }, setup_.services, at);
  answer_loaded(id, at, std::move(machines), answer);
}

machine_set snapshot_store::load_again(const raft::snapshot_id& id, raft::snapshot_point& at) try {
  return load_machines(*setup_.files, id, setup_.services, at);
} catch (const raft::storage_error& e) {
  if (!e.temporary()) give_up(id, e);
  throw;
}

/// A file that this program cannot load would be in the way of the next attempt, and of files that it can load.
void snapshot_store::give_up(const raft::snapshot_id& id, const raft::storage_error& why) {
  std::erase_if(open_, [&](const auto& bytes) { return bytes->id() == id; });
  try {
    if (dynamic_cast<const not_loadable*>(&why)) {
      setup_.files->remove(id);
      log().error("the snapshot at {} is removed: {}", place(id.last), why.what());
    } else {
      log().error("{}; {}", why.what(), setup_.files->set_aside(id));
    }
  } catch (const raft::storage_error& e) {
    log().error("the snapshot at {} cannot be loaded, and is still there: {}", place(id.last), e.what());
  }
  if (dispatcher_) send(dispatcher_, snapshot_lost{id});
}

void snapshot_store::prune() {
  try {
    setup_.files->prune(kept_snapshots);
  } catch (const raft::storage_error& e) {
    log().warn("old snapshots could not be removed: {}", e.what());
  }
}

void snapshot_store::answer_loaded(const raft::snapshot_id& id, const raft::snapshot_point& at, machine_set machines,
                                   piece_stored& answer) {
  // To free a large state takes long, wherever it turns out that it is not needed.
  const auto give_back = [home = address()](loaded_state* unused) {
    const std::unique_ptr<loaded_state> state{unused};
    const auto store = caf::actor_cast<caf::strong_actor_ptr>(home);
    for (auto& [name, machine] : state->machines)
      if (machine && store)
        caf::anon_send(caf::actor_cast<snapshot_store_handle>(store),
                       discarded_state{std::make_shared<std::unique_ptr<services::machine>>(std::move(machine))});
  };
  std::shared_ptr<loaded_state> state{new loaded_state{id, at, std::move(machines)}, give_back};
  log().info("the snapshot at {} is here", place(id.last));
  answer.what.next = id.size;
  answer.what.complete = state->at;
  answer.state = std::move(state);
}

backup_opened snapshot_store::open_for_reader(const raft::snapshot_id& id) {
  if (downloads_.size() >= most_downloads)
    throw raft::storage_error("this node hands out " + std::to_string(downloads_.size()) + " backups already", false,
                              false, true);
  downloads_.emplace(++last_download_, download{setup_.files->open(id), clock().now()});
  arm_timer();
  return {last_download_};
}

caf::result<raft::snapshot_piece> snapshot_store::read_for_reader(const read_backup& question) {
  const auto found = downloads_.find(question.download);
  if (found == downloads_.end())
    return make_error({errc::refused, "this backup was given up, as nothing was read of it for a minute", {}, {}});
  auto& [bytes, asked] = found->second;
  asked = clock().now();
  try {
    return raft::snapshot_piece{bytes->id(), question.offset,
                                raft::bytes{bytes->read(question.offset, question.max_bytes)}};
  } catch (const raft::storage_error& e) {
    if (!e.temporary()) {
      log().error("a backup could not be read: {}", e.what());
      return make_error({errc::refused, e.what(), {}, {}});
    }
    log().warn("a backup cannot be read for the moment: {}", e.what());
    return make_error({errc::overloaded, e.what(), {}, {}});
  }
}

/// What was not gone on with is given up.
void snapshot_store::on_time() {
  const auto now = clock().now();
  if (incoming_ && incoming_.given_up_at() <= now) {
    log().info("the transfer of the snapshot at {} is given up: no data for a minute", place(incoming_.id().last));
    incoming_.forget();
  }
  std::erase_if(downloads_, [&](const auto& one) { return one.second.asked + download_patience <= now; });
  arm_timer();
}

void snapshot_store::arm_timer() {
  auto next = raft::time_point::max();
  if (incoming_) next = incoming_.given_up_at();
  for (const auto& [number, one] : downloads_) next = std::min<raft::time_point>(next, one.asked + download_patience);
  if (next != raft::time_point::max()) timer_.arm(this, next);
}

raft::snapshot_piece snapshot_store::piece(const raft::piece_request& question) {
  raft::snapshot_id chosen;
  try {
    chosen = choose(question);
    if (chosen) return {chosen, question.offset, raft::bytes{opened(chosen).read(question.offset, question.max_bytes)}};
    if (dispatcher_) send(dispatcher_, snapshot_wanted{});
  } catch (const raft::storage_error& e) {
    log().error("a snapshot could not be read: {}", e.what());
    if (e.temporary()) return {}; // asked again a little later
    std::erase_if(open_, [&](const auto& bytes) { return bytes->id() == chosen; });
    check(chosen);
  }
  return {};
}

/// What serves the question; no id if nothing does.
raft::snapshot_id snapshot_store::choose(const raft::piece_request& question) {
  const auto& wanted = question.snapshot;
  const auto is_wanted = [&](const auto& bytes) { return bytes->id() == wanted; };
  if (wanted && std::any_of(open_.begin(), open_.end(), is_wanted)) return wanted;
  const auto here = setup_.files->list();
  if (wanted) return std::find(here.begin(), here.end(), wanted) == here.end() ? raft::snapshot_id{} : wanted;
  return here.empty() || here.front().last.index < question.reach ? raft::snapshot_id{} : here.front();
}

snapshot_bytes& snapshot_store::opened(const raft::snapshot_id& id) {
  const auto found = std::find_if(open_.begin(), open_.end(), [&](const auto& bytes) { return bytes->id() == id; });
  if (found != open_.end()) {
    std::rotate(open_.begin(), found, std::next(found));
  } else {
    open_.push_front(setup_.files->open(id));
    if (open_.size() > most_open) open_.pop_back();
  }
  return *open_.front();
}

} // namespace troupe
