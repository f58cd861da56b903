#include "actors/snapshot_store.hpp"

#include "actors/log.hpp"
#include "raft/storage.hpp"

#include <algorithm>
#include <utility>

namespace troupe {
namespace {

/// One to start from, and one before it in case the first turns out damaged.
constexpr std::size_t kept_snapshots = 2;
constexpr std::size_t most_open = 4;

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
      [this](const attach_dispatcher& m) { dispatcher_ = m.dispatcher; },
      [this](const role_changed& m) {
        role_ = m.role;
        if (m.previous) send(m.previous, drained{m.retiring});
      },
      [this](const timer& m) {
        if (!timer_.fired(m) || !incoming_) return;
        if (clock().now() < incoming_.given_up_at()) return timer_.arm(this, incoming_.given_up_at());
        log().info("the snapshot at {} is not sent on", place(incoming_.id().last));
        incoming_.forget();
      },
  };
}

void snapshot_store::on_exit() {
  *stop_jobs_ = true;
  dispatcher_ = nullptr;
  role_ = nullptr;
  incoming_.forget();
  open_.clear();
  setup_.files.reset();
  setup_.staging = nullptr;
}

template <class Job, class What> void snapshot_store::begin(const What& what) {
  ++jobs_;
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
  // Whether or not it has its name still: nobody should count on it.
  if (dispatcher_) send(dispatcher_, snapshot_lost{result.id});
}

void snapshot_store::take_in(const raft::snapshot_request& piece) {
  piece_stored answer{{piece.head.from, piece.snapshot, piece.offset, 0, piece.round, false, {}}, nullptr};
  try {
    take_in(piece, answer);
  } catch (const raft::storage_error& e) {
    log().error("a snapshot of node {} could not be taken in: {}", to_string(piece.head.from), e.what());
    incoming_.forget();
    answer.what.next = 0;
    answer.what.failed = true;
    answer.what.no_room = e.no_space();
  }
  if (role_) send(role_, std::move(answer));
}

void snapshot_store::take_in(const raft::snapshot_request& piece, piece_stored& answer) {
  const auto here = setup_.files->list();
  // The word of it was lost on the way, or the role that got it had other things to do.
  if (std::find(here.begin(), here.end(), piece.snapshot) != here.end()) return load(piece.snapshot, answer);
  if (!incoming_ || incoming_.id() != piece.snapshot) {
    incoming_.forget();
    incoming_.begin(setup_.files->receive(piece.snapshot), piece.snapshot);
    log().info("node {} sends its snapshot at {}, {} bytes", to_string(piece.head.from), place(piece.snapshot.last),
               piece.snapshot.size);
  }
  answer.what.next = incoming_.take(piece.offset, piece.data.view(), clock().now());
  timer_.arm(this, incoming_.given_up_at());
  if (answer.what.next < piece.snapshot.size) return;
  load(incoming_.finish(), answer);
  try {
    setup_.files->prune(kept_snapshots);
  } catch (const raft::storage_error& e) {
    log().warn("old snapshots could not be removed: {}", e.what());
  }
}

void snapshot_store::load(const raft::snapshot_id& id, piece_stored& answer) {
  // To free a large state takes long, wherever it turns out that it is not needed.
  const auto give_back = [home = address()](loaded_state* unused) {
    const std::unique_ptr<loaded_state> state{unused};
    const auto store = caf::actor_cast<caf::strong_actor_ptr>(home);
    for (auto& [name, machine] : state->machines)
      if (machine && store)
        caf::anon_send(caf::actor_cast<snapshot_store_handle>(store),
                       discarded_state{std::make_shared<std::unique_ptr<services::machine>>(std::move(machine))});
  };
  std::shared_ptr<loaded_state> state{new loaded_state, give_back};
  state->id = id;
  state->machines = load_machines(*setup_.files, id, setup_.services, state->at);
  log().info("the snapshot at {} is here", place(id.last));
  answer.what.next = id.size;
  answer.what.complete = state->at;
  answer.state = std::move(state);
}

raft::snapshot_piece snapshot_store::piece(const raft::piece_request& question) {
  raft::snapshot_id chosen;
  try {
    chosen = choose(question);
    if (chosen) return {chosen, question.offset, raft::bytes{opened(chosen).read(question.offset, question.max_bytes)}};
    if (dispatcher_) send(dispatcher_, snapshot_wanted{});
  } catch (const raft::storage_error& e) {
    log().error("a snapshot could not be read: {}", e.what());
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
