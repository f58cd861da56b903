#include "tests/sim/role_table.hpp"

#include "tests/sim/violation.hpp"

#include <cstdio>
#include <variant>

namespace troupe::sim {
namespace {

constexpr std::array<raft::role_kind, roles> all_roles{raft::role_kind::follower, raft::role_kind::candidate,
                                                       raft::role_kind::leader};

/// The declaration. Reports of replicators carry their leader's epoch, so no other role receives one. A response to an
/// append_request or a snapshot_request reaches a role only if its term is higher; otherwise it goes to a replicator.
constexpr bool reachable(raft::role_kind role, column c) {
  switch (c) {
  case column::peer_report:
    return role == raft::role_kind::leader;
  case column::tick:
  case column::pre_vote_request:
  case column::vote_request:
  case column::pre_vote_response:
  case column::vote_response:
  case column::append_request:
  case column::append_response:
  case column::propose:
  case column::read_request:
  case column::change_members:
  case column::transfer_leadership:
  case column::persisted:
  case column::snapshot_request:
  case column::snapshot_response:
  case column::timeout_now:
  case column::removed_notice:
  case column::removed_answer:
  case column::snapshot_stored:
  case column::snapshot_taken:
  case column::disk_space:
  case column::state_missing:
    return true;
  }
  return false;
}

/// Cells that need a late message of a deposed leader about a snapshot, or a commit that is applied during a campaign:
/// too rare to be required of every run. tests/unit/raft/snapshots_test.cpp and state_missing_test.cpp cover each of
/// them.
constexpr bool rare(raft::role_kind role, column c) {
  if (c == column::snapshot_response) return true;
  if (c == column::state_missing) return role == raft::role_kind::candidate;
  return role == raft::role_kind::leader && (c == column::snapshot_request || c == column::snapshot_stored);
}

std::string cell_name(raft::role_kind role, column c) {
  return std::string{raft::to_string(role)} + " x " + to_string(c);
}

struct name_message {
  column operator()(const raft::vote_request& m) const {
    return m.pre ? column::pre_vote_request : column::vote_request;
  }
  column operator()(const raft::vote_response& m) const {
    return m.pre ? column::pre_vote_response : column::vote_response;
  }
  column operator()(const raft::append_request&) const { return column::append_request; }
  column operator()(const raft::append_response&) const { return column::append_response; }
  column operator()(const raft::snapshot_request&) const { return column::snapshot_request; }
  column operator()(const raft::snapshot_response&) const { return column::snapshot_response; }
  column operator()(const raft::timeout_now&) const { return column::timeout_now; }
  column operator()(const raft::removed_notice&) const { return column::removed_notice; }
  column operator()(const raft::removed_answer&) const { return column::removed_answer; }
};
struct name_event {
  column operator()(const raft::tick&) const { return column::tick; }
  column operator()(const raft::rpc& m) const { return std::visit(name_message{}, m); }
  column operator()(const raft::propose&) const { return column::propose; }
  column operator()(const raft::read_request&) const { return column::read_request; }
  column operator()(const raft::change_members&) const { return column::change_members; }
  column operator()(const raft::transfer_leadership&) const { return column::transfer_leadership; }
  column operator()(const raft::persisted&) const { return column::persisted; }
  column operator()(const raft::peer_report&) const { return column::peer_report; }
  column operator()(const raft::snapshot_stored&) const { return column::snapshot_stored; }
  column operator()(const raft::snapshot_taken&) const { return column::snapshot_taken; }
  column operator()(const raft::disk_space&) const { return column::disk_space; }
  column operator()(const raft::state_missing&) const { return column::state_missing; }
};

} // namespace

column column_of(const raft::event& what) { return std::visit(name_event{}, what); }

const char* to_string(column c) {
  switch (c) {
  case column::tick:
    return "tick";
  case column::pre_vote_request:
    return "pre_vote_request";
  case column::vote_request:
    return "vote_request";
  case column::pre_vote_response:
    return "pre_vote_response";
  case column::vote_response:
    return "vote_response";
  case column::append_request:
    return "append_request";
  case column::append_response:
    return "append_response";
  case column::propose:
    return "propose";
  case column::read_request:
    return "read_request";
  case column::change_members:
    return "change_members";
  case column::transfer_leadership:
    return "transfer_leadership";
  case column::persisted:
    return "persisted";
  case column::peer_report:
    return "peer_report";
  case column::snapshot_request:
    return "snapshot_request";
  case column::snapshot_response:
    return "snapshot_response";
  case column::timeout_now:
    return "timeout_now";
  case column::removed_notice:
    return "removed_notice";
  case column::removed_answer:
    return "removed_answer";
  case column::snapshot_stored:
    return "snapshot_stored";
  case column::snapshot_taken:
    return "snapshot_taken";
  case column::disk_space:
    return "disk_space";
  case column::state_missing:
    return "state_missing";
  }
  return "?";
}

void role_table::count(raft::role_kind role, column c) {
  if (!reachable(role, c)) throw violation("declared unreachable, but happened: " + cell_name(role, c));
  ++hits_[static_cast<std::size_t>(role)][static_cast<std::size_t>(c)];
}

void role_table::add(const role_table& other) {
  for (std::size_t r = 0; r < roles; ++r)
    for (std::size_t c = 0; c < columns; ++c) hits_[r][c] += other.hits_[r][c];
}

std::vector<std::string> role_table::unreached() const {
  std::vector<std::string> cells;
  for (const auto role : all_roles)
    for (std::size_t c = 0; c < columns; ++c)
      if (reachable(role, static_cast<column>(c)) && !rare(role, static_cast<column>(c)) &&
          hits_[static_cast<std::size_t>(role)][c] == 0)
        cells.push_back(cell_name(role, static_cast<column>(c)));
  return cells;
}

std::string role_table::print() const {
  std::string text;
  char line[128];
  std::snprintf(line, sizeof line, "%-20s %12s %12s %12s\n", "", "follower", "candidate", "leader");
  text += line;
  for (std::size_t c = 0; c < columns; ++c) {
    text += std::string{to_string(static_cast<column>(c))} +
            std::string(21 - std::string{to_string(static_cast<column>(c))}.size(), ' ');
    for (const auto role : all_roles) {
      const auto hits = hits_[static_cast<std::size_t>(role)][c];
      if (reachable(role, static_cast<column>(c)))
        std::snprintf(line, sizeof line, "%12llu ", static_cast<unsigned long long>(hits));
      else
        std::snprintf(line, sizeof line, "%12s ", "never");
      text += line;
    }
    text.back() = '\n';
  }
  return text;
}

} // namespace troupe::sim
