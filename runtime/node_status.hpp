// Composes the status of a running node: its members, and whether it is ready, or why not.
#pragma once

#include "actors/protocol/interfaces.hpp"
#include "runtime/node_setup.hpp"

#include <map>
#include <string>
#include <troupe/status.hpp>

namespace troupe {

/// Lost entries as in member_status, by member.
struct member_losses {
  std::uint64_t count = 0;
  raft::lost_entries last;
};
using losses_by_member = std::map<node_id, member_losses>;

/// What the actors of a node report for its status.
struct status_reports {
  role_report role;
  applied_status applied;
  peer_list peers;
  health_report health;
};

/// Completes the status of a node whose replica runs. `removed_at` is 0, or the index of the committed configuration
/// without this node. Pure.
void complete_status(node_status& now, const status_reports& reports, const node_setup& setup,
                     const losses_by_member& losses, index_t removed_at, raft::time_point at);

/// The addresses that do not answer, each with its latest problem, for the end of a sentence.
std::string problems_of(const peer_list& peers);
std::string in_ms(raft::duration time);

} // namespace troupe
