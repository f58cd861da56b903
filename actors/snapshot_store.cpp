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

/// Writes one snapshot and is gone.
class snapshot_job : public caf::event_based_actor {
 public:
  snapshot_job(caf::actor_config& config, std::shared_ptr<snapshot_files> files, write_snapshot what,
               snapshot_store_handle store)
      : caf::event_based_actor(config), files_(std::move(files)), what_(std::move(what)), store_(std::move(store)) {}

  caf::behavior make_behavior() override {
    snapshot_written result;
    try {
      const auto out = files_->create(what_.at);
      for (const auto& [service, view] : what_.views) view->save(out->begin(service));
      result.id = out->finish();
    } catch (const std::exception& e) {
      result.error = e.what();
    }
    // The views hold the state of the past alive; let it go before anybody hears of this.
    what_.views.clear();
    send(store_, std::move(result));
    store_ = nullptr;
    return {};
  }
  const char* name() const override { return "snapshot_job"; }

 private:
  std::shared_ptr<snapshot_files> files_;
  write_snapshot what_;
  snapshot_store_handle store_;
};

} // namespace

snapshot_store::snapshot_store(caf::actor_config& config, snapshot_store_setup setup)
    : snapshot_store_handle::base(config), setup_(std::move(setup)) {}

snapshot_store_handle::behavior_type snapshot_store::make_behavior() {
  compat::end_on_exceptions(this);
  return {
      [this](const write_snapshot& m) { write(m); },
      [this](const snapshot_written& m) { written(m); },
      [this](const store_piece& m) { take_in(m.piece); },
      [](const discarded_state& m) { m.machine->reset(); },
      [this](const raft::piece_request& m) { return piece(m); },
      [this](const attach_dispatcher& m) { dispatcher_ = m.dispatcher; },
      [this](const role_changed& m) {
        role_ = m.role;
        if (m.previous) send(m.previous, drained{m.retiring});
      },
  };
}

void snapshot_store::on_exit() {
  dispatcher_ = nullptr;
  role_ = nullptr;
  incoming_.reset();
  open_.clear();
  setup_.files.reset();
}

void snapshot_store::write(const write_snapshot& message) {
  const snapshot_store_handle self{this};
  if (setup_.detach_writers)
    spawn<snapshot_job, caf::detached>(setup_.files, message, self);
  else
    spawn<snapshot_job>(setup_.files, message, self);
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
    if (role_) send(role_, raft::snapshot_taken{message.id.last, oldest});
  }
  if (dispatcher_) send(dispatcher_, message);
}

void snapshot_store::take_in(const raft::snapshot_request& piece) {
  piece_stored answer{{piece.head.from, piece.snapshot, piece.offset, 0, piece.round, false, {}}, nullptr};
  try {
    take_in(piece, answer);
  } catch (const raft::storage_error& e) {
    log().error("a snapshot of node {} could not be taken in: {}", to_string(piece.head.from), e.what());
    incoming_.reset();
    incoming_id_ = {};
    answer.what.next = 0;
    answer.what.failed = true;
  }
  if (role_) send(role_, std::move(answer));
}

void snapshot_store::take_in(const raft::snapshot_request& piece, piece_stored& answer) {
  const auto here = setup_.files->list();
  // The word of it was lost on the way, or the role that got it had other things to do.
  if (std::find(here.begin(), here.end(), piece.snapshot) != here.end()) return load(piece.snapshot, answer);
  if (!incoming_ || incoming_id_ != piece.snapshot) {
    incoming_.reset();
    incoming_ = setup_.files->receive(piece.snapshot);
    incoming_id_ = piece.snapshot;
    log().info("node {} sends its snapshot at {}, {} bytes", to_string(piece.head.from), place(incoming_id_.last),
               incoming_id_.size);
  }
  if (piece.offset == incoming_->next() && piece.data.size() <= incoming_id_.size - piece.offset)
    incoming_->write(piece.data.view());
  answer.what.next = incoming_->next();
  if (answer.what.next < incoming_id_.size) return;
  const auto whole = std::exchange(incoming_, nullptr);
  whole->finish();
  load(std::exchange(incoming_id_, {}), answer);
  setup_.files->prune(kept_snapshots);
}

void snapshot_store::load(const raft::snapshot_id& id, piece_stored& answer) {
  auto state = std::make_shared<loaded_state>();
  state->machines = load_machines(*setup_.files, id, setup_.services, state->at);
  log().info("the snapshot at {} is here", place(id.last));
  answer.what.next = id.size;
  answer.what.complete = state->at;
  answer.state = std::move(state);
}

raft::snapshot_piece snapshot_store::piece(const raft::piece_request& question) {
  try {
    if (auto* from = find(question))
      return {from->id(), question.offset, raft::bytes{from->read(question.offset, question.max_bytes)}};
    if (dispatcher_) send(dispatcher_, snapshot_wanted{});
  } catch (const raft::storage_error& e) {
    log().error("a snapshot could not be read: {}", e.what());
    open_.clear();
  }
  return {};
}

/// What serves the question, opened; null if nothing does.
snapshot_bytes* snapshot_store::find(const raft::piece_request& question) {
  auto wanted = question.snapshot;
  if (!wanted) {
    const auto here = setup_.files->list();
    if (here.empty() || here.front().last.index < question.reach) return nullptr;
    wanted = here.front();
  }
  const auto found = std::find_if(open_.begin(), open_.end(), [&](const auto& bytes) { return bytes->id() == wanted; });
  if (found != open_.end()) {
    std::rotate(open_.begin(), found, std::next(found));
  } else {
    const auto here = setup_.files->list();
    if (std::find(here.begin(), here.end(), wanted) == here.end()) return nullptr;
    open_.push_front(setup_.files->open(wanted));
    if (open_.size() > most_open) open_.pop_back();
  }
  return open_.front().get();
}

} // namespace troupe
