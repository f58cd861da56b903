// The shells of a leader's replicators. They are separate actors, so all messages between them and the leader take
// time.
#include "tests/sim/node.hpp"

namespace troupe::sim {

using namespace std::chrono_literals;

void node::start_and_stop_replicators(const raft::membership_change& change) {
  for (const auto& m : change.start) {
    const auto& l = std::get<raft::leader>(*role_);
    const auto at = peers_.emplace(m.id, peer{raft::replicator{l.seed_for(m.id)}, ++lives_}).first;
    carry_out(m.id, at->second.machine.start(clock()));
  }
  for (const auto& id : change.stop) peers_.erase(id);
}

void node::later_at(raft::node_id to, duration delay, std::function<void(peer&)> what) {
  later(delay, true, [this, to, life = peers_.at(to).life, what = std::move(what)] {
    const auto found = peers_.find(to);
    if (found != peers_.end() && found->second.life == life) what(found->second);
  });
}

void node::tell_replicator(raft::node_id to, raft::replicator_event what) {
  auto& p = peers_.at(to);
  p.to_machine = std::max(p.to_machine, world_.time.now() + world_.between(0us, 1ms));
  later_at(to, p.to_machine - world_.time.now(),
           [this, to, what = std::move(what)](peer&) { step_replicator(to, what); });
}

void node::step_replicator(raft::node_id to, const raft::replicator_event& what) {
  carry_out(to, peers_.at(to).machine.step(what, clock()));
}

void node::carry_out(raft::node_id to, raft::replicator_output out) {
  for (const auto& request : out.send) send(request);
  if (out.send_chunk) send(*out.send_chunk);
  auto& p = peers_.at(to);
  const auto tell_leader = [&](std::function<void(peer&)> what) {
    p.to_leader = std::max(p.to_leader, world_.time.now() + world_.between(0us, 1ms));
    later_at(to, p.to_leader - world_.time.now(), std::move(what));
  };
  if (out.report) tell_leader([this, report = *out.report](peer&) { post(report); });
  if (out.fetch) tell_leader([this, to, question = *out.fetch](peer&) { answer_fetch(to, question); });
  if (out.read_chunk) read_chunk(to, *out.read_chunk);
  arm_replicator(to);
}

void node::answer_fetch(raft::node_id to, const raft::fetch_request& question) {
  const auto found = std::get<raft::leader>(*role_).answer(question);
  if (!found.entries.empty() || found.compacted || found.first > disk_.written().last_index()) {
    tell_replicator(to, found);
    return;
  }
  ++world_.seen.fetches_from_disk;
  later_at(to, world_.between(100us, 2ms), [this, to, found, question](peer&) {
    auto read = found;
    read.entries = disk_.read(found.first, question.max_bytes);
    tell_replicator(to, read);
  });
}

void node::arm_replicator(raft::node_id to) {
  auto& p = peers_.at(to);
  const auto when = clock_.moment(p.machine.deadline());
  if (p.tick_set && p.tick_at <= when) return;
  p.tick_set = true;
  p.tick_at = when;
  later_at(to, when - world_.time.now(), [this, to, when](peer& me) {
    if (!me.tick_set || me.tick_at != when) return;
    me.tick_set = false;
    if (me.machine.deadline() <= clock()) {
      step_replicator(to, raft::tick{});
    } else {
      arm_replicator(to);
    }
  });
}

} // namespace troupe::sim
