#include "tests/sim/describe.hpp"

namespace troupe::sim {
namespace {

using std::to_string;

std::string position(raft::index_t index, raft::term_t term) { return to_string(index) + '/' + to_string(term); }

struct body {
  std::string operator()(const raft::vote_request& m) const {
    return std::string{m.pre ? "pre-vote?" : "vote?"} + " last " + position(m.last_index, m.last_term) +
           (m.transfer ? " by transfer" : "");
  }
  std::string operator()(const raft::vote_response& m) const {
    return std::string{m.pre ? "pre-vote " : "vote "} + (m.granted ? "granted" : "refused");
  }
  std::string operator()(const raft::append_request& m) const {
    return "append prev " + position(m.prev_index, m.prev_term) + ' ' + describe(m.entries) + " commit " +
           to_string(m.commit) + " round " + to_string(m.round);
  }
  std::string operator()(const raft::append_response& m) const {
    const auto lost = (m.needs_snapshot == 0 ? "" : " needs a snapshot to " + to_string(m.needs_snapshot)) +
                      (m.no_room ? " no room" : "");
    if (m.success) return "append ok match " + to_string(m.match) + " round " + to_string(m.round) + lost;
    return "append refused at " + to_string(m.prev_index) + " hint " + position(m.hint_index, m.hint_term) + " round " +
           to_string(m.round) + lost;
  }
  std::string operator()(const raft::snapshot_request& m) const {
    return "snapshot " + describe(m.snapshot) + " from byte " + to_string(m.offset) + ", " + to_string(m.data.size()) +
           " bytes, round " + to_string(m.round);
  }
  std::string operator()(const raft::snapshot_response& m) const {
    return "snapshot " + describe(m.snapshot) + (m.failed ? " failed" : "") + " next byte " + to_string(m.next) +
           " round " + to_string(m.round);
  }
  std::string operator()(const raft::timeout_now&) const { return "campaign now"; }
  std::string operator()(const raft::removed_notice& m) const { return "you are removed at " + to_string(m.index); }
  std::string operator()(const raft::removed_answer& m) const { return "knows it is removed at " + to_string(m.index); }
};

std::string list(const std::vector<raft::member>& members) {
  std::string text;
  for (const auto& m : members) text += (text.empty() ? "" : ",") + to_string(m.id.value);
  return text;
}

} // namespace

std::string describe(const raft::rpc& message) {
  const auto& head = raft::head_of(message);
  return to_string(head.from.value) + "->" + to_string(head.to.value) + " term " + to_string(head.term) + ' ' +
         std::visit(body{}, message);
}

std::string describe(const raft::snapshot_id& id) { return position(id.last.index, id.last.term); }

std::string describe(const std::vector<raft::entry>& entries) {
  std::string text = "[";
  for (const auto& e : entries) {
    if (text.size() > 1) text += ' ';
    text += position(e.index, e.term);
    switch (e.kind) {
    case raft::entry_kind::noop:
      text += " noop";
      break;
    case raft::entry_kind::command:
      text += ' ' + std::string{e.data.view()};
      break;
    case raft::entry_kind::configuration:
      text += " members";
      // The first configuration is omitted: it is known from the scenario.
      if (const auto c = raft::decode_configuration(e.data.view()); c && e.index > 1) text += ' ' + describe(*c);
      break;
    }
  }
  return text + ']';
}

std::string describe(const raft::write& change) {
  auto text = "write " + to_string(change.number);
  if (change.hard) text += " term " + to_string(change.hard->term) + " vote " + to_string(change.hard->voted_for.value);
  if (change.reset_to) text += " begin behind " + position(change.reset_to->index, change.reset_to->term);
  if (change.truncate_from) text += " cut from " + to_string(*change.truncate_from);
  if (!change.append.empty()) text += ' ' + describe(change.append);
  return text;
}

std::string describe(const raft::configuration& c) {
  auto text = list(c.voters);
  if (c.joint()) text += " from " + list(c.outgoing);
  if (!c.learners.empty()) text += " learn " + list(c.learners);
  for (const auto& p : c.promotions) {
    text += (p.standby ? " spare "
             : p.asked ? " promote "
                       : " let in ") +
            to_string(p.learner.value) + (p.wanted ? " wanted" : "");
    if (p.replaces) text += " for " + to_string(p.replaces.value);
  }
  for (const auto& d : c.dismissed) text += " without " + to_string(d.node.value);
  return text;
}

std::string describe(raft::refusal why) {
  switch (why) {
  case raft::refusal::not_leader:
    return "not leader";
  case raft::refusal::overloaded:
    return "overloaded";
  case raft::refusal::leadership_lost:
    return "leadership lost";
  case raft::refusal::disk_full:
    return "disk full";
  case raft::refusal::transferring:
    return "transferring";
  case raft::refusal::leader_too_new:
    return "leader too new";
  case raft::refusal::not_a_voter:
    return "not a voter";
  case raft::refusal::no_successor:
    return "no successor";
  case raft::refusal::change_in_progress:
    return "change in progress";
  case raft::refusal::stale_configuration:
    return "stale configuration";
  case raft::refusal::unknown_member:
    return "unknown member";
  case raft::refusal::invalid_address:
    return "invalid address";
  case raft::refusal::configuration_too_large:
    return "configuration too large";
  case raft::refusal::invalid_change:
    return "invalid change";
  case raft::refusal::nothing_to_change:
    return "nothing to change";
  case raft::refusal::no_majority_left:
    return "no majority would be left";
  case raft::refusal::no_voter_left:
    return "no voter left";
  case raft::refusal::transfer_failed:
    return "transfer failed";
  case raft::refusal::disk_stalled:
    return "disk stalled";
  }
  return "?";
}

} // namespace troupe::sim
