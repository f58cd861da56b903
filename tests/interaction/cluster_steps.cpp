// What the actors do around the pure machines, done at once and in one thread.
#include "tests/interaction/cluster.hpp"

#include "tests/sim/describe.hpp"

namespace troupe::interaction {

using sim::describe;
using std::to_string;

void cluster::receive(const raft::rpc& message) {
  const auto& head = raft::head_of(message);
  auto& n = nodes_.at(head.to);
  if (!n.role) return;
  if (const auto* response = std::get_if<raft::append_response>(&message)) {
    const auto term = state_of(*n.role).term();
    if (head.term == term && n.replicators.contains(head.from)) step_replicator(head.to, head.from, *response);
    if (head.term <= term) return;
  }
  step(head.to, message);
}

void cluster::step(raft::node_id id, const raft::event& what) {
  carry_out(id, std::visit([&](auto& r) { return r.step(what, now_); }, *at(id).role));
}

void cluster::carry_out(raft::node_id id, raft::output out) {
  auto& n = at(id);
  const auto& state = state_of(*n.role);
  state.validate(out);
  show(id, out);
  if (out.write_now) n.disk.hand_over(*out.write_now);
  for (const auto& message : out.send_now) send(id, message);
  for (auto& message : out.send_after_persist) {
    say(id, "holds " + describe(message));
    n.held.emplace_back(state.last_write(), std::move(message));
  }
  if (out.membership)
    for (const auto& m : out.membership->start) {
      const auto& l = std::get<raft::leader>(*n.role);
      const auto added = n.replicators.emplace(m.id, raft::replicator{l.seed_for(m.id)}).first;
      carry_out(id, m.id, added->second.start(now_));
    }
  if (out.replicate_now) tell_replicators(id, *out.replicate_now);
  if (out.next_role) change_role(id, std::move(*out.next_role));
}

void cluster::show(raft::node_id id, const raft::output& out) {
  if (out.write_now) say(id, describe(*out.write_now));
  for (const auto& a : out.accepted_now)
    say(id, "accepted " + to_string(a.tag) + " as " + to_string(a.index) + '/' + to_string(a.term));
  for (const auto& f : out.failed_now)
    say(id, "refused " + to_string(f.tag) + ": " + describe(f.why) + ", leader " + to_string(f.leader.value));
  for (const auto& r : out.reads) say(id, "read " + to_string(r.tag) + " may be served at " + to_string(r.index));
  if (out.commit_to) say(id, "applies up to " + to_string(*out.commit_to));
}

void cluster::change_role(raft::node_id id, raft::transition next) {
  auto& n = at(id);
  n.replicators.clear();
  n.role.emplace(become(std::move(*n.role), next.to));
  say(id, std::string{"becomes "} + to_string(next.to) + " in term " + to_string(state_of(*n.role).term()));
  carry_out(id, std::visit([&](auto& r) { return r.start(now_); }, *n.role));
  if (next.carry) step(id, *next.carry);
}

void cluster::tell_replicators(raft::node_id id, const raft::replicate& what) {
  std::vector<raft::node_id> peers;
  for (const auto& [peer, machine] : at(id).replicators) peers.push_back(peer);
  for (const auto peer : peers)
    if (at(id).replicators.contains(peer)) step_replicator(id, peer, what);
}

void cluster::step_replicator(raft::node_id id, raft::node_id peer, const raft::replicator_event& what) {
  auto& machine = at(id).replicators.at(peer);
  const auto before = machine.current_mode();
  auto out = machine.step(what, now_);
  if (machine.current_mode() != before)
    say(id, "to " + to_string(peer.value) +
                (machine.current_mode() == raft::replicator::mode::probe ? ": probes" : ": replicates"));
  carry_out(id, peer, std::move(out));
}

void cluster::carry_out(raft::node_id id, raft::node_id peer, raft::replicator_output out) {
  for (const auto& request : out.send) send(id, request);
  if (out.fetch) {
    const auto& n = at(id);
    auto found = std::get<raft::leader>(*n.role).answer(*out.fetch);
    if (found.entries.empty()) found.entries = n.disk.read(found.first, out.fetch->max_bytes);
    step_replicator(id, peer, found);
  }
  if (out.report) step(id, *out.report);
}

void cluster::send(raft::node_id id, const raft::rpc& message) {
  const auto& head = raft::head_of(message);
  const bool lost = cut_.contains({head.from, head.to});
  say(id, (lost ? "sends in vain " : "sends ") + describe(message));
  if (!lost) wire_.push_back(message);
}

} // namespace troupe::interaction
