// What a follower does with entries (Raft paper, section 5.3).
#pragma once

#include "raft/messages.hpp"
#include "raft/node_state.hpp"

namespace troupe::raft {

/// False if the entries are not a contiguous part of a log in the request's term. No leader sends such a request.
bool well_formed(const append_request& request);

/// Checks that the logs agree at `prev_index`, truncates a conflicting tail, appends new entries and adopts the commit
/// index; adds all of it to `out`. Without room on the disk it appends no new command. The response promises that
/// everything up to `match` is on this node's disk.
append_response accept_entries(const append_request& request, node_state& state, output& out);

} // namespace troupe::raft
