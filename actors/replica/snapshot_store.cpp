#include "actors/replica/snapshot_store.hpp"

#include "raft/storage.hpp"

#include <algorithm>
#include <troupe/log.hpp>
#include <troupe/threads.hpp>
#include <utility>

namespace troupe {
namespace {

/// One to start from, and the previous one in case the first turns out to be damaged.
constexpr std::size_t kept_snapshots = 2;
constexpr std::size_t max_open = 4;
/// Each keeps a file open, whose disk space is not freed even after its removal.
constexpr std::size_t max_downloads = 8;
/// Of one answer to a read_backup.
constexpr std::size_t max_backup_chunk = 4 << 20;
/// A client gets half of this time to read one chunk of a backup.
constexpr auto download_timeout = std::chrono::seconds{60};

std::string place(const raft::log_position& at) { return "index " + std::to_string(at.index); }

} // namespace

snapshot_store::snapshot_store(caf::actor_config& config, snapshot_store_setup setup)
    : compat::typed_base<snapshot_store_handle>(config), setup_(std::move(setup)) {}

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
      [this](const store_chunk& m) { take_in(m.chunk); },
      [](const discarded_state& m) { m.machine->reset(); },
      [this](const check_snapshot& m) {
        // A snapshot that was found undamaged is not checked again. The follower has another reason not to load it.
        if (m.id != whole_) check(m.id);
      },
      [this](const snapshot_checked& m) {
        checked(m);
        job_ended();
      },
      [this](const raft::chunk_request& m) { return chunk(m); },
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

void snapshot_store::on_end() {
  *stop_jobs_ = true;
  dispatcher_ = nullptr;
  role_ = nullptr;
  incoming_.forget();
  open_.clear();
  downloads_.clear();
  setup_.files.reset();
  setup_.staging = nullptr;
}

/// Sends the same message as a job that has failed.
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
  // Wait for the jobs: one that is left behind would use the files together with their next owner.
  if (jobs_ == 0) quit(reason);
}

void snapshot_store::written(const snapshot_written& message) {
  if (!message.error.empty()) {
    log().error("cannot write a snapshot: {}", message.error);
  } else {
    log().info("snapshot at {} written, {} bytes", place(message.id.last), message.id.size);
    auto oldest = message.id.last.index;
    try {
      // The log may be compacted up to the older of the two snapshots. If there is only one, or if this one was pruned
      // because others reach further, nothing is compacted: the next damaged file could otherwise lose the state.
      const auto kept = setup_.files->prune(kept_snapshots);
      const bool stayed = std::find(kept.begin(), kept.end(), message.id) != kept.end();
      oldest = stayed && kept.size() == kept_snapshots ? kept.back().last.index : 0;
    } catch (const raft::storage_error& e) {
      // The next snapshot removes them. Until then the log is not compacted.
      log().warn("cannot remove old snapshots: {}", e.what());
      oldest = 0;
    }
    const raft::snapshot_taken taken{message.id.last, oldest};
    if (role_) send(role_, taken);
    if (setup_.staging) send(setup_.staging, taken);
  }
  if (dispatcher_) send(dispatcher_, message);
}

/// Starts a check for damage, unless one is running.
void snapshot_store::check(const raft::snapshot_id& id) {
  if (!id || checking_ || leaving_) return;
  checking_ = id;
  log().warn("the snapshot at {} may be damaged: checking it", place(id.last));
  begin<snapshot_check_job>(id);
}

void snapshot_store::checked(const snapshot_checked& result) {
  checking_ = {};
  if (!result.problem.empty()) return log().warn("cannot check the snapshot now: {}", result.problem);
  if (result.damage.empty()) {
    whole_ = result.id;
    return;
  }
  std::erase_if(open_, [&](const auto& bytes) { return bytes->id() == result.id; });
  try {
    log().error("{}; {}", result.damage, setup_.files->quarantine(result.id));
  } catch (const raft::storage_error& e) {
    log().error("{}; quarantining it failed: {}", result.damage, e.what());
  }
  // The snapshot no longer counts, even if the file kept its name.
  if (dispatcher_) send(dispatcher_, snapshot_lost{result.id});
}

void snapshot_store::take_in(const raft::snapshot_request& chunk) {
  chunk_stored answer{{chunk.head.from, chunk.snapshot, chunk.offset, 0, chunk.round, false, {}}, nullptr};
  try {
    take_in(chunk, answer);
  } catch (const raft::storage_error& e) {
    // Always answer, since the role sends no other chunk before. After a temporary error the received part is kept: the
    // leader asks again after a while and resumes from there.
    if (e.temporary()) {
      log().warn("cannot store a chunk of a snapshot now, the leader retries: {}", e.what());
    } else {
      log().error("cannot store the snapshot from node {}: {}", to_string(chunk.head.from), e.what());
      incoming_.forget();
    }
    answer.what.next = 0;
    answer.what.failed = true;
    answer.what.no_room = e.no_space();
  }
  // Prune after a failure as well: its leftovers must not accumulate.
  if (answer.what.failed || answer.what.complete) prune();
  if (role_) send(role_, std::move(answer));
}

void snapshot_store::take_in(const raft::snapshot_request& chunk, chunk_stored& answer) {
  const auto& id = chunk.snapshot;
  raft::snapshot_point at;
  const auto here = setup_.files->list();
  // The snapshot is already complete: the answer was lost, or the role that got it did not load the state.
  if (std::find(here.begin(), here.end(), id) != here.end()) {
    auto machines = load_again(id, at);
    return answer_loaded(id, at, std::move(machines), answer);
  }
  if (!incoming_ || incoming_.id() != id) {
    incoming_.forget();
    incoming_.begin(setup_.files->receive(id), id);
    log().info("receiving the snapshot at {} from node {}, {} bytes", place(id.last), to_string(chunk.head.from),
               id.size);
  }
  answer.what.next = incoming_.take(chunk.offset, chunk.data.view(), clock().now());
  arm_timer();
  if (answer.what.next < id.size) return;
  auto machines =
      load_machines([this](const snapshot_section& each) { return incoming_.finish(each); }, setup_.services, at);
  answer_loaded(id, at, std::move(machines), answer);
}

machine_set snapshot_store::load_again(const raft::snapshot_id& id, raft::snapshot_point& at) try {
  return load_machines(*setup_.files, id, setup_.services, at);
} catch (const raft::storage_error& e) {
  if (!e.temporary()) discard_unloadable(id, e);
  throw;
}

/// Removes or quarantines a file that this program cannot load: it would block the next attempt, and would be preferred
/// to files that can be loaded.
void snapshot_store::discard_unloadable(const raft::snapshot_id& id, const raft::storage_error& why) {
  std::erase_if(open_, [&](const auto& bytes) { return bytes->id() == id; });
  try {
    if (dynamic_cast<const not_loadable*>(&why)) {
      setup_.files->remove(id);
      log().error("removed the snapshot at {}: {}", place(id.last), why.what());
    } else {
      log().error("{}; {}", why.what(), setup_.files->quarantine(id));
    }
  } catch (const raft::storage_error& e) {
    log().error("the snapshot at {} can neither be loaded nor removed: {}", place(id.last), e.what());
  }
  if (dispatcher_) send(dispatcher_, snapshot_lost{id});
}

void snapshot_store::prune() {
  try {
    setup_.files->prune(kept_snapshots);
  } catch (const raft::storage_error& e) {
    log().warn("cannot remove old snapshots: {}", e.what());
  }
}

void snapshot_store::answer_loaded(const raft::snapshot_id& id, const raft::snapshot_point& at, machine_set machines,
                                   chunk_stored& answer) {
  // Freeing a large state takes long, so an unused one is freed on this actor's thread, wherever it is dropped.
  const auto free_state = [home = address()](loaded_state* unused) {
    const std::unique_ptr<loaded_state> state{unused};
    const auto store = caf::actor_cast<caf::strong_actor_ptr>(home);
    for (auto& [name, machine] : state->machines)
      if (machine && store)
        compat::anon_send(caf::actor_cast<snapshot_store_handle>(store),
                          discarded_state{std::make_shared<std::unique_ptr<detail::machine>>(std::move(machine))});
  };
  std::shared_ptr<loaded_state> state{new loaded_state{id, at, std::move(machines)}, free_state};
  log().info("received and loaded the snapshot at {}", place(id.last));
  answer.what.next = id.size;
  answer.what.complete = state->at;
  answer.state = std::move(state);
}

backup_opened snapshot_store::open_for_reader(const raft::snapshot_id& id) {
  if (downloads_.size() >= max_downloads)
    throw raft::storage_error("this node already serves " + std::to_string(downloads_.size()) + " backup downloads",
                              false, false, true);
  downloads_.emplace(++setup_.last_download, download{setup_.files->open(id), clock().now()});
  arm_timer();
  return {setup_.last_download};
}

caf::result<backup_chunk> snapshot_store::read_for_reader(const read_backup& question) {
  const auto found = downloads_.find(question.download);
  if (found == downloads_.end())
    return make_error(
        {errc::refused,
         "this backup is not open: it was closed, nothing was read for 60 s, or the node's replica restarted",
         {},
         {}});
  if (question.max_bytes == 0) return make_error({errc::refused, "max_bytes must not be 0", {}, {}});
  auto& [bytes, asked] = found->second;
  asked = clock().now();
  try {
    return backup_chunk{bytes->read(question.offset, std::min(question.max_bytes, max_backup_chunk))};
  } catch (const raft::storage_error& e) {
    if (!e.temporary()) {
      log().error("cannot read a backup: {}", e.what());
      return make_error({errc::refused, e.what(), {}, {}});
    }
    log().warn("cannot read a backup now: {}", e.what());
    return make_error({errc::overloaded, e.what(), {}, {}});
  }
}

/// Abandons idle transfers and downloads.
void snapshot_store::on_time() {
  const auto now = clock().now();
  if (incoming_ && incoming_.expires_at() <= now) {
    log().info("abandoned the transfer of the snapshot at {}: no data for 60 s", place(incoming_.id().last));
    incoming_.forget();
  }
  std::erase_if(downloads_, [&](const auto& one) { return one.second.asked + download_timeout <= now; });
  arm_timer();
}

void snapshot_store::arm_timer() {
  auto next = raft::time_point::max();
  if (incoming_) next = incoming_.expires_at();
  for (const auto& [number, one] : downloads_) next = std::min<raft::time_point>(next, one.asked + download_timeout);
  if (next != raft::time_point::max()) timer_.arm(this, next);
}

raft::snapshot_chunk snapshot_store::chunk(const raft::chunk_request& question) {
  raft::snapshot_id chosen;
  try {
    chosen = choose(question);
    if (chosen) return {chosen, question.offset, raft::bytes{opened(chosen).read(question.offset, question.max_bytes)}};
    if (dispatcher_) send(dispatcher_, snapshot_wanted{});
  } catch (const raft::storage_error& e) {
    log().error("cannot read a snapshot: {}", e.what());
    if (e.temporary()) return {}; // the replicator asks again a little later
    std::erase_if(open_, [&](const auto& bytes) { return bytes->id() == chosen; });
    check(chosen);
  }
  return {};
}

/// The snapshot that satisfies the request; empty id if none does.
raft::snapshot_id snapshot_store::choose(const raft::chunk_request& question) {
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
    if (open_.size() > max_open) open_.pop_back();
  }
  return *open_.front();
}

} // namespace troupe
