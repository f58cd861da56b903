// The snapshot store of a simulated node: takes snapshots, receives those of others, and serves them in chunks.
#include "tests/sim/node.hpp"
#include "tests/sim/violation.hpp"

namespace troupe::sim {

using namespace std::chrono_literals;

void node::damage_snapshot() {
  if (!disk_.snapshots().empty()) disk_.damage_newest();
}

void node::set_room(bool enough) {
  has_room_ = enough;
  if (up()) post(raft::disk_space{enough});
}

void node::maybe_take_snapshot() {
  const auto every = world_.what.snapshot_every;
  if (every > 0 && applied_ - snapshot_at_ >= every) take_snapshot();
}

void node::take_snapshot() {
  const auto term = disk_.written().term_at(applied_);
  if (taking_snapshot_ || applied_ <= snapshot_at_ || term == 0) return;
  taking_snapshot_ = true;
  snapshot_at_ = applied_;
  stored_snapshot made{{{applied_, term}, members_at_, members_}, std::make_shared<const register_machine>(service_)};
  if (world_.what.broken == mutant::compact_before_snapshot) {
    // Its older snapshots no longer count.
    later(duration{0}, false, [this, made] { post(raft::snapshot_taken{made.at.last, made.at.last.index}); });
  }
  written_snapshot_ = made;
  when_on_disk(world_.between(1ms, world_.what.snapshot_takes_max), [this] {
    snapshot_is_written_ = true;
    keep_snapshot_if_durable();
  });
}

/// As the dispatcher does: entries are applied before this disk has them, and a snapshot of them waits for the disk.
void node::keep_snapshot_if_durable() {
  if (!snapshot_is_written_) return;
  if (!disk_.has(written_snapshot_->at.last) && world_.what.broken != mutant::snapshot_before_log) return;
  const auto made = *std::exchange(written_snapshot_, std::nullopt);
  snapshot_is_written_ = taking_snapshot_ = false;
  world_.judge.on_snapshot(made);
  world_.judge.on_own_snapshot(id_, made, disk_);
  disk_.keep(made);
  ++world_.seen.snapshots_taken;
  note("snapshot at " + std::to_string(made.at.last.index));
  post(raft::snapshot_taken{made.at.last, disk_.snapshots().back().at.last.index});
}

void node::store(const raft::snapshot_request& chunk) {
  // One request after the other, as an actor does.
  stored_at_ = std::max(stored_at_, world_.time.now()) + world_.between(100us, world_.what.store_takes_max);
  when_on_disk(stored_at_ - world_.time.now(), [this, chunk] {
    const auto answer = take_in(chunk);
    note("stored a chunk, next " + std::to_string(answer.next));
    // Until the notice reaches the role, a snapshot may be on disk beside a log that does not know it.
    later(world_.between(0us, 3ms), false, [this, answer] { post(answer); });
  });
}

raft::snapshot_stored node::take_in(const raft::snapshot_request& chunk) {
  raft::snapshot_stored answer{chunk.head.from, chunk.snapshot, chunk.offset, 0, chunk.round, false, {}};
  for (const auto& s : disk_.snapshots())
    if (!s.damaged && s.id() == chunk.snapshot) {
      answer.next = chunk.snapshot.size;
      answer.complete = s.at;
      ready_[s.at.last.index] = s;
      return answer;
    }
  if (incoming_ != chunk.snapshot) {
    incoming_ = chunk.snapshot;
    incoming_bytes_.clear();
  }
  if (world_.what.broken == mutant::install_first_chunk) {
    // This node's current state is used in place of the one that was sent.
    const raft::snapshot_point at{chunk.snapshot.last, 1, formatted_members(world_.what.nodes)};
    ready_[at.last.index] = {at, std::make_shared<const register_machine>(service_), false};
    if (at.last.index > disk_.covered()) disk_.keep(ready_[at.last.index]);
    answer.complete = at;
    return answer;
  }
  if (chunk.offset == incoming_bytes_.size()) incoming_bytes_ += chunk.data.view();
  answer.failed = world_.chance(world_.what.store_fails_permille) || store_broken_;
  if (answer.failed) incoming_bytes_.clear();
  answer.next = incoming_bytes_.size();
  if (answer.failed || answer.next < incoming_.size) return answer;
  const auto whole = stored_snapshot::from(std::exchange(incoming_bytes_, {}));
  incoming_ = {};
  if (!whole || whole->id() != chunk.snapshot)
    throw violation("the received snapshot differs from the one that was sent");
  world_.judge.on_snapshot(*whole);
  // An older snapshot must not replace a newer one.
  if (whole->at.last.index > disk_.covered()) disk_.keep(*whole);
  ++world_.seen.snapshots_received;
  answer.complete = whole->at;
  ready_[whole->at.last.index] = *whole;
  return answer;
}

void node::load(const raft::snapshot_point& at) {
  if (at.last.index < applied_) throw violation("an old snapshot is loaded");
  service_ = *ready_.at(at.last.index).state;
  ready_.erase(ready_.begin(), ready_.upper_bound(at.last.index));
  applied_ = snapshot_at_ = at.last.index;
  missing_at_ = 0;
  members_at_ = at.configuration_index;
  members_ = at.members;
  settle_applied();
}

void node::read_chunk(raft::node_id to, const raft::chunk_request& question) {
  later_at(to, world_.between(100us, 2ms), [this, to, question](peer& p) {
    raft::snapshot_chunk found;
    if (const auto* s = open_snapshot(p, question))
      found = {s->id(), question.offset, raft::bytes{s->bytes().substr(question.offset, question.max_bytes)}};
    if (!found.snapshot) take_snapshot();
    tell_replicator(to, found);
  });
}

/// As the snapshot store does: the snapshot being sent is an open file, which survives the removal of its name.
const stored_snapshot* node::open_snapshot(peer& p, const raft::chunk_request& question) {
  if (question.snapshot && p.sent && p.sent->id() == question.snapshot) return &*p.sent;
  for (const auto& s : disk_.snapshots()) {
    const bool serves = question.snapshot ? s.id() == question.snapshot : s.at.last.index >= question.reach;
    if (!s.damaged && serves) return &p.sent.emplace(s);
  }
  return nullptr;
}

} // namespace troupe::sim
