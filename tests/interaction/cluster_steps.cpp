// The work of the actors around the pure machines, done at once and in one thread.
#include "tests/interaction/cluster.hpp"

#include "tests/sim/describe.hpp"

#include <algorithm>

namespace troupe::interaction {

using sim::describe;
using std::to_string;

namespace {

const char* describe(raft::replicator::mode mode) {
  switch (mode) {
  case raft::replicator::mode::probe:
    return ": probes";
  case raft::replicator::mode::replicate:
    return ": replicates";
  case raft::replicator::mode::snapshot:
    return ": sends a snapshot";
  }
  return "?";
}

} // namespace

void cluster::receive(const raft::rpc& message) {
  const auto& head = raft::head_of(message);
  auto& n = nodes_.at(head.to);
  if (!n.role) return;
  const auto term = state_of(*n.role).term();
  const auto to_replicator = [&](const auto& response) {
    if (head.term == term && n.replicators.contains(head.from)) step_replicator(head.to, head.from, response);
    return head.term <= term;
  };
  const auto* appended = std::get_if<raft::append_response>(&message);
  const auto* stored = std::get_if<raft::snapshot_response>(&message);
  if ((appended && to_replicator(*appended)) || (stored && to_replicator(*stored))) return;
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
  if (out.membership) start_and_stop_replicators(id, *out.membership);
  if (out.replicate_now) tell_replicators(id, *out.replicate_now);
  if (out.load) n.applied = out.load->last.index;
  if (out.commit_to) n.applied = *out.commit_to;
  if (out.compact_to) n.disk.compact(*out.compact_to);
  if (out.store_chunk) step(id, take_in(id, *out.store_chunk));
  if (out.next_role) change_role(id, std::move(*out.next_role));
}

/// A snapshot of everything that the node has applied, on disk at once.
void cluster::snapshot(raft::node_id id) {
  auto& n = at(id);
  const raft::log_position last{n.applied, n.disk.written().term_at(n.applied)};
  const auto& log = state_of(*n.role).log();
  n.disk.keep({{last, log.configuration_index(), log.current()}, std::make_shared<const sim::register_machine>()});
  say(id, "snapshot of " + to_string(last.index));
  step(id, raft::snapshot_taken{last, n.disk.snapshots().back().at.last.index});
}

void cluster::miss(raft::node_id id, raft::index_t index) {
  at(id).applied = index - 1;
  step(id, raft::state_missing{index});
}

raft::snapshot_stored cluster::take_in(raft::node_id id, const raft::snapshot_request& chunk) {
  auto& n = at(id);
  raft::snapshot_stored answer{chunk.head.from, chunk.snapshot, chunk.offset, 0, chunk.round, false, {}};
  for (const auto& s : n.disk.snapshots())
    if (s.id() == chunk.snapshot) {
      answer.next = chunk.snapshot.size;
      answer.complete = s.at;
      return answer;
    }
  if (std::exchange(n.incoming_id, chunk.snapshot) != chunk.snapshot) n.incoming.clear();
  if (chunk.offset == n.incoming.size()) n.incoming += chunk.data.view();
  answer.next = n.incoming.size();
  if (answer.next < chunk.snapshot.size) return answer;
  const auto whole = sim::stored_snapshot::from(std::exchange(n.incoming, {}));
  n.disk.keep(*whole);
  answer.complete = whole->at;
  return answer;
}

raft::snapshot_chunk cluster::chunk_of(raft::node_id id, const raft::chunk_request& question) {
  auto& open = at(id).open;
  const auto& all = at(id).disk.snapshots();
  const auto found = std::find_if(open.begin(), open.end(), [&](const auto& s) { return s.id() == question.snapshot; });
  if (question.snapshot && found == open.end()) return {};
  if (!question.snapshot) {
    if (all.empty() || all.front().at.last.index < question.reach) return {};
    open.push_back(all.front());
  }
  const auto& chosen = question.snapshot ? *found : open.back();
  return {chosen.id(), question.offset, raft::bytes{chosen.bytes().substr(question.offset, question.max_bytes)}};
}

void cluster::start_and_stop_replicators(raft::node_id id, const raft::membership_change& change) {
  auto& n = at(id);
  for (const auto& m : change.start) {
    const auto& l = std::get<raft::leader>(*n.role);
    const auto added = n.replicators.emplace(m.id, raft::replicator{l.seed_for(m.id)}).first;
    carry_out(id, m.id, added->second.start(now_));
  }
  for (const auto peer : change.stop) {
    n.replicators.erase(peer);
    say(id, "to " + to_string(peer.value) + ": stops");
  }
}

void cluster::show(raft::node_id id, const raft::output& out) {
  for (const auto& effect : raft::effects_of(out, raft::text_style::test)) say(id, effect);
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
  if (machine.current_mode() != before) say(id, "to " + to_string(peer.value) + describe(machine.current_mode()));
  carry_out(id, peer, std::move(out));
}

void cluster::carry_out(raft::node_id id, raft::node_id peer, raft::replicator_output out) {
  for (const auto& request : out.send) send(id, request);
  if (out.send_chunk) send(id, *out.send_chunk);
  if (out.fetch) {
    const auto& n = at(id);
    auto found = std::get<raft::leader>(*n.role).answer(*out.fetch);
    if (found.entries.empty() && !found.compacted) found.entries = n.disk.read(found.first, out.fetch->max_bytes);
    step_replicator(id, peer, found);
  }
  if (out.read_chunk) step_replicator(id, peer, chunk_of(id, *out.read_chunk));
  if (out.report) step(id, *out.report);
}

void cluster::send(raft::node_id id, const raft::rpc& message) {
  const auto& head = raft::head_of(message);
  const bool lost = cut_.contains({head.from, head.to});
  say(id, (lost ? "sends in vain " : "sends ") + describe(message));
  if (!lost) wire_.push_back(message);
}

} // namespace troupe::interaction
