// Which role can meet which event: every cell is declared, and the simulation verifies the declaration.
#pragma once

#include "raft/events.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace troupe::sim {

/// The columns of the table: the kinds of `raft::event`, with messages by their type.
enum class column : std::uint8_t {
  tick,
  pre_vote_request,
  vote_request,
  pre_vote_response,
  vote_response,
  append_request,
  append_response,
  propose,
  read_request,
  change_members,
  transfer_leadership,
  persisted,
  peer_report,
  snapshot_request,
  snapshot_response,
  timeout_now,
  removed_notice,
  removed_answer,
  snapshot_stored,
  snapshot_taken,
  disk_space,
  state_missing,
};
inline constexpr std::size_t columns = 22;
inline constexpr std::size_t roles = 3;

column column_of(const raft::event& what);
const char* to_string(column c);

/// Counts how often each role met each event.
class role_table {
 public:
  /// Throws violation for a cell that is declared unreachable.
  void count(raft::role_kind role, column c);
  void add(const role_table& other);
  /// The cells, as "role x event", that are declared reachable and not rare, but were not reached.
  std::vector<std::string> unreached() const;
  std::string print() const;

 private:
  std::array<std::array<std::uint64_t, columns>, roles> hits_{};
};

} // namespace troupe::sim
