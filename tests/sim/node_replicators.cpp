// The shells of a leader's replicators: actors of their own, so every word between them and the leader takes a while.
#include "tests/sim/node.hpp"

namespace troupe::sim {

using namespace std::chrono_literals;

void node::start_replicator(raft::node_id to) {
  const auto& l = std::get<raft::leader>(*role_);
  const auto at = peers_.emplace(to, peer{raft::replicator{l.seed_for(to)}}).first;
  carry_out(to, at->second.machine.start(clock()));
}

void node::tell_replicator(raft::node_id to, raft::replicator_event what) {
  auto& p = peers_.at(to);
  p.to_machine = std::max(p.to_machine, world_.time.now() + world_.between(0us, 1ms));
  later(p.to_machine - world_.time.now(), true, [this, to, what = std::move(what)] { step_replicator(to, what); });
}

void node::step_replicator(raft::node_id to, const raft::replicator_event& what) {
  carry_out(to, peers_.at(to).machine.step(what, clock()));
}

void node::carry_out(raft::node_id to, raft::replicator_output out) {
  for (const auto& request : out.send) send(request);
  if (out.send_piece) send(*out.send_piece);
  auto& p = peers_.at(to);
  const auto tell_leader = [&](std::function<void()> what) {
    p.to_leader = std::max(p.to_leader, world_.time.now() + world_.between(0us, 1ms));
    later(p.to_leader - world_.time.now(), true, std::move(what));
  };
  if (out.report) tell_leader([this, report = *out.report] { post(report); });
  if (out.fetch) tell_leader([this, to, question = *out.fetch] { answer_fetch(to, question); });
  if (out.read_piece) read_piece(to, *out.read_piece);
  arm_replicator(to);
}

void node::answer_fetch(raft::node_id to, const raft::fetch_request& question) {
  const auto found = std::get<raft::leader>(*role_).answer(question);
  if (!found.entries.empty() || found.compacted || found.first > disk_.written().last_index()) {
    tell_replicator(to, found);
    return;
  }
  ++world_.seen.fetches_from_disk;
  later(world_.between(100us, 2ms), true, [this, to, found, question] {
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
  later(when - world_.time.now(), true, [this, to, when] {
    auto& me = peers_.at(to);
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
