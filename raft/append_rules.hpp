// What a follower does with entries (Raft paper, section 5.3).
#pragma once

#include "raft/messages.hpp"
#include "raft/node_state.hpp"

namespace troupe::raft {

/// False for a request whose entries are not a contiguous piece of a log of its term: nothing a leader could send.
bool well_formed(const append_request& request);

/// Checks that the logs agree at `prev_index`, cuts a conflicting tail, appends what is new and takes the commit index
/// over; adds all of it to `out`. Without room on the disk no new command is taken. The answer promises that everything
/// up to `match` is on this node's disk.
append_response accept_entries(const append_request& request, node_state& state, output& out);

} // namespace troupe::raft
