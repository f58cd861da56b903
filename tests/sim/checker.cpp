#include "tests/sim/checker.hpp"

#include "tests/sim/violation.hpp"

#include <algorithm>
#include <functional>

namespace troupe::sim {
namespace {

bool same_entry(const raft::entry& e, raft::term_t term, const raft::bytes& data) {
  return e.term == term && e.data == data;
}

std::size_t count(const std::vector<raft::member>& members, const std::function<bool(raft::node_id)>& yes) {
  return static_cast<std::size_t>(
      std::count_if(members.begin(), members.end(), [&](const raft::member& m) { return yes(m.id); }));
}

} // namespace

bool majorities(const raft::configuration& c, const std::function<bool(raft::node_id)>& yes) {
  return 2 * count(c.voters, yes) > c.voters.size() &&
         (c.outgoing.empty() || 2 * count(c.outgoing, yes) > c.outgoing.size());
}

std::pair<raft::index_t, raft::configuration> checker::newest_configuration(const image& log,
                                                                            raft::index_t last) const {
  for (auto e = log.log.rbegin(); e != log.log.rend(); ++e)
    if (e->index <= last && e->kind == raft::entry_kind::configuration)
      return {e->index, raft::decode_configuration(e->data.view()).value()};
  for (auto i = log.start.index; i > 0; --i)
    if (committed_[i - 1].kind == raft::entry_kind::configuration)
      return {i, raft::decode_configuration(committed_[i - 1].data.view()).value()};
  return {};
}

void checker::on_boot(raft::node_id node, const image& found) {
  auto& seen = nodes_seen_[node];
  if (found.hard.term < seen.durable_term) throw violation("the durable term fell in a restart of " + name(node));
  seen = {found.hard.term, found.hard.term, 0, found.last_index(), found.last_index()};
}

void checker::on_leader(const raft::node_state& state, const image& log, raft::duration now) {
  began_[state.term()] = now;
  const auto [known, fresh] = leaders_.emplace(state.term(), state.self());
  if (!fresh && known->second != state.self())
    throw violation("election safety: two leaders in term " + std::to_string(state.term()));
  const auto voted = [&](raft::node_id id) {
    const auto vote = votes_.find({id, state.term()});
    return id == state.self() ? state.durable_hard() == raft::hard_state{state.term(), id}
                              : vote != votes_.end() && vote->second == state.self();
  };
  if (!outcome_only_ && !majorities(in_force(log, log.last_index()), voted))
    throw violation(name(state.self()) + " leads term " + std::to_string(state.term()) + " without a majority");
  for (auto i = committed_.size(); i > 0; --i) {
    const auto& fact = committed_[i - 1];
    if (fact.committed_in >= state.term()) continue;
    if (i <= log.start.index) break; // a snapshot covers it; the snapshot was checked against the committed entries
    const auto* e = log.find(i);
    if (!e || !same_entry(*e, fact.term, fact.data))
      throw violation("leader completeness: " + name(state.self()) + " leads without a committed entry" + at(i));
    break;
  }
}

void checker::on_append(raft::term_t before, const raft::write& change) {
  for (const auto& e : change.append) {
    const auto [fact, fresh] = known_.try_emplace({e.index, e.term}, e.data, before);
    if (!fresh && (!(fact->second.first == e.data) || fact->second.second != before))
      throw violation("log matching: two histories of one entry" + at(e.index));
    if (fresh && e.index > 1 && e.kind == raft::entry_kind::configuration) new_configurations_.push_back(e);
    before = e.term;
  }
}

void checker::on_vote(raft::node_id voter, raft::term_t term, raft::node_id candidate, const image& synced) {
  if (outcome_only_) return;
  const auto [vote, fresh] = votes_.try_emplace({voter, term}, candidate);
  if (!fresh && vote->second != candidate)
    throw violation(name(voter) + " voted twice in term " + std::to_string(term));
  if (synced.hard.term == term && synced.hard.voted_for != candidate)
    throw violation("a vote of " + name(voter) + " left before it was on disk");
}

/// A node confirms only rounds that the leader of the same term has sent to it: rounds begin at 0 in each term.
void checker::on_round(const raft::rpc& message) {
  const auto& head = raft::head_of(message);
  const auto asked = [&](std::uint64_t round) {
    auto& newest = rounds_[{head.to, head.term}];
    newest = std::max(newest, round);
    auto& sent = rounds_sent_[head.term];
    sent = std::max(sent, round);
  };
  const auto confirmed = [&](std::uint64_t round) {
    if (round > rounds_[{head.from, head.term}])
      throw violation(name(head.from) + " confirms a round that it was not asked for in term " +
                      std::to_string(head.term));
    auto& newest = confirmed_[{head.from, head.term}];
    newest = std::max(newest, round);
  };
  if (const auto* append = std::get_if<raft::append_request>(&message)) asked(append->round);
  if (const auto* chunk = std::get_if<raft::snapshot_request>(&message)) asked(chunk->round);
  if (const auto* appended = std::get_if<raft::append_response>(&message)) confirmed(appended->round);
  if (const auto* stored = std::get_if<raft::snapshot_response>(&message)) confirmed(stored->round);
}

void checker::on_send(raft::node_id node, const image& synced, const raft::rpc& message) {
  if (outcome_only_) return;
  on_round(message);
  if (const auto* append = std::get_if<raft::append_request>(&message);
      append && !append->entries.empty() && append->entries.front().index != append->prev_index + 1)
    throw violation(name(node) + " sends entries that do not follow the previous one" + at(append->prev_index));
  const auto& head = raft::head_of(message);
  const auto* request = std::get_if<raft::vote_request>(&message);
  const auto* response = std::get_if<raft::vote_response>(&message);
  const bool hypothetical = (request && request->pre) || (response && response->pre && response->granted);
  if (!hypothetical && synced.hard.term < head.term)
    throw violation("a message of a term that is not durable at " + name(node));
  if (request && !request->pre) on_vote(node, head.term, node, synced);
  if (response && !response->pre && response->granted) on_vote(node, head.term, head.to, synced);
  // A later leader may have truncated what was promised to this one, but only in a later term.
  const auto* ack = std::get_if<raft::append_response>(&message);
  if (ack && ack->success && synced.hard.term == head.term && synced.last_index() < ack->match)
    throw violation(name(node) + " acknowledged an entry that is not on its disk" + at(ack->match));
}

void checker::on_applied(const raft::entry& e) {
  if (e.index > committed_.size()) throw violation("applied before it was committed" + at(e.index));
  const auto& fact = committed_[e.index - 1];
  if (!same_entry(e, fact.term, fact.data))
    throw violation("state machine safety: another entry applied" + at(e.index));
}

void checker::on_removed(raft::node_id node, raft::index_t index) const {
  const auto known =
      index > 0 && index <= committed_.size() && committed_[index - 1].kind == raft::entry_kind::configuration;
  if (!known || raft::decode_configuration(committed_[index - 1].data.view()).value().is_member(node))
    throw violation(name(node) + " considers itself removed by a configuration that does not remove it" + at(index));
}

void checker::on_snapshot(const stored_snapshot& made) const {
  const auto last = made.at.last;
  if (last.index == 0 || last.index > committed_.size())
    throw violation("a snapshot of an uncommitted entry" + at(last.index));
  if (committed_[last.index - 1].term != last.term) throw violation("a snapshot of another entry" + at(last.index));
  register_machine replayed;
  raft::index_t members_at = 0;
  for (raft::index_t i = 1; i <= last.index; ++i) {
    const auto& fact = committed_[i - 1];
    if (fact.kind == raft::entry_kind::configuration) members_at = i;
    if (fact.kind == raft::entry_kind::command) replayed.apply(command::decode(fact.data));
  }
  if (!(replayed == *made.state)) throw violation("a snapshot contains a wrong state" + at(last.index));
  if (members_at != made.at.configuration_index || encode(made.at.members) != committed_[members_at - 1].data.view())
    throw violation("a snapshot names wrong members" + at(last.index));
}

void checker::on_own_snapshot(raft::node_id node, const stored_snapshot& made, const disk& own) const {
  if (!outcome_only_ && !own.has(made.at.last))
    throw violation("a snapshot of " + name(node) + " goes beyond the log on its disk" + at(made.at.last.index));
}

void checker::count_configuration(const raft::configuration& c) {
  if (c.joint()) ++joint_committed_;
  if (c.voters != last_voters_) ++voters_changed_;
  last_voters_ = c.voters;
}

void checker::commit(const raft::node_state& state, raft::role_kind role, const image& log) {
  auto& seen = nodes_seen_[state.self()];
  for (auto i = seen.commit + 1; i <= state.commit(); ++i) {
    const auto* found = log.find(i);
    if (!found) {
      if (i > log.start.index || i > committed_.size())
        throw violation(name(state.self()) + " committed an entry that it does not have" + at(i));
      continue;
    }
    const auto& e = *found;
    if (i <= committed_.size()) {
      const auto& fact = committed_[i - 1];
      if (!same_entry(e, fact.term, fact.data))
        throw violation("state machine safety: " + name(state.self()) + " committed another entry" + at(i));
      continue;
    }
    if (i > 1 && role != raft::role_kind::leader) throw violation("committed by a node that does not lead" + at(i));
    if (i > 1 && committed_.back().committed_in != state.term()) ++commits_after_change_;
    committed_.push_back({e.term, e.kind, e.data, state.term()});
    if (e.kind == raft::entry_kind::configuration)
      count_configuration(raft::decode_configuration(e.data.view()).value());
    if (outcome_only_) continue;
    const auto has_copy = [&](raft::node_id id) {
      const auto& d = *disks_.at(id.value - 1);
      const auto* there = d.synced().find(i);
      return i <= d.covered() || (there && same_entry(*there, e.term, e.data));
    };
    // A configuration that this step has appended was not in force yet.
    if (!majorities(in_force(log, seen.last), has_copy))
      throw violation("committed without a majority of copies on disk" + at(i));
  }
}

void checker::after_step(const raft::node_state& state, raft::role_kind role, const disk& own, raft::duration now) {
  const auto& log = own.written();
  auto& seen = nodes_seen_[state.self()];
  const auto who = name(state.self());
  if (state.term() < seen.term) throw violation("the term of " + who + " fell");
  if (state.commit() < seen.commit) throw violation("the commit index of " + who + " fell");
  if (state.durable_hard().term < seen.durable_term) throw violation("the durable term of " + who + " fell");
  if (state.log().last_index() != log.last_index() || state.log().last_term() != log.last_term())
    throw violation("the log of " + who + " is not what it handed to its disk");
  if (state.durable_index() > log.last_index())
    throw violation(who + " considers an entry durable that it does not have");
  if (!outcome_only_) {
    if (state.durable_hard().term > own.synced().hard.term) throw violation(who + " trusts a term that is not synced");
    if (state.durable_index() > own.covered() &&
        own.synced().term_at(state.durable_index()) != log.term_at(state.durable_index()))
      throw violation(who + " considers an entry durable that is not on its disk" + at(state.durable_index()));
  }
  if (state.log().start() != log.start) throw violation("the log of " + who + " does not begin where its disk's does");
  if (state.needs_snapshot() == 0 && state.members().empty() && log.last_index() > 0)
    throw violation(who + " has its state but does not know its configuration");
  commit(state, role, log);
  judge_new_configurations(state, role, log, now);
  seen = {state.term(), state.durable_hard().term, state.commit(), state.durable_index(), log.last_index()};
}

} // namespace troupe::sim
