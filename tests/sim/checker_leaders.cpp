// What a leader may do: change the members, serve reads, remain leader.
#include "tests/sim/checker.hpp"
#include "tests/sim/violation.hpp"

namespace troupe::sim {
namespace {

using raft::configuration;

std::ptrdiff_t missing(const std::vector<raft::member>& one, const std::vector<raft::member>& other) {
  return std::count_if(one.begin(), one.end(), [&](const raft::member& m) {
    return std::none_of(other.begin(), other.end(), [&](const raft::member& o) { return o.id == m.id; });
  });
}

/// True if any quorum of one and any quorum of the other have a node in common.
bool is_one_step(const configuration& before, const configuration& next) {
  if (before.joint()) return !next.joint() && next.voters == before.voters;
  if (next.joint()) return next.outgoing == before.voters;
  return missing(before.voters, next.voters) + missing(next.voters, before.voters) <= 1;
}

} // namespace

/// The first node that appends an entry is the one that created it.
void checker::judge_new_configurations(const raft::node_state& state, raft::role_kind role, const image& log,
                                       raft::duration now) {
  for (const auto& e : std::exchange(new_configurations_, {})) {
    const auto who = name(state.self());
    if (role != raft::role_kind::leader)
      throw violation(who + " changes the members but is not the leader" + at(e.index));
    const auto [index, before] = newest_configuration(log, e.index - 1);
    if (!is_one_step(before, raft::decode_configuration(e.data.view()).value()))
      throw violation(who + " changes more members than allowed in one step" + at(e.index));
    if (outcome_only_) continue;
    const auto* there = log.find(index);
    if (index > committed_.size() || (there && there->term != committed_[index - 1].term))
      throw violation(who + " changes the members before the last change is committed" + at(e.index));
    const auto own = std::lower_bound(committed_.begin(), committed_.end(), e.term,
                                      [](const committed_entry& c, raft::term_t term) { return c.term < term; });
    if (own == committed_.end() || own->term != e.term)
      throw violation(who + " changes the members before an entry of its term is committed" + at(e.index));
    for (const auto& m : state.members().members()) heard_.try_emplace({e.term, m.id}, now);
  }
}

void checker::on_read_asked(const raft::node_state& state, std::uint64_t read) {
  if (!outcome_only_) reads_[read] = rounds_sent_[state.term()];
}

/// A quorum has confirmed a round that was sent after the read had arrived.
void checker::on_read_served(const raft::node_state& state, std::uint64_t read, const image& log) {
  const auto asked = reads_.extract(read);
  if (asked.empty()) return;
  const auto confirmed = [&](raft::node_id id) {
    const auto newest = confirmed_.find({id, state.term()});
    return id == state.self() || (newest != confirmed_.end() && newest->second > asked.mapped());
  };
  // The configuration in force before this step, or one that this step has appended.
  const auto before = in_force(log, nodes_seen_[state.self()].last);
  if (before.joint()) ++joint_reads_;
  if (!majorities(before, confirmed) && !majorities(in_force(log, log.last_index()), confirmed))
    throw violation(name(state.self()) + " serves a read that no quorum has confirmed in term " +
                    std::to_string(state.term()));
}

void checker::on_heard(raft::term_t term, raft::node_id peer, raft::duration now) { heard_[{term, peer}] = now; }

/// Twice the time after which a leader that hears no quorum steps down, since a membership change may have happened in
/// between. A quarter more for slow clocks.
void checker::on_still_leading(const raft::node_state& state, const image& log, raft::duration now) {
  if (outcome_only_) return;
  const auto limit = 2 * state.opts().election_max * 5 / 4;
  const auto heard = [&](raft::node_id id) {
    const auto last = heard_.find({state.term(), id});
    return id == state.self() || now - (last == heard_.end() ? began_[state.term()] : last->second) <= limit;
  };
  if (!majorities(in_force(log, log.last_index()), heard))
    throw violation(name(state.self()) + " leads term " + std::to_string(state.term()) +
                    " without hearing from a quorum for too long");
}

} // namespace troupe::sim
