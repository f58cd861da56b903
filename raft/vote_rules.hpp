// Who gets a vote.
#pragma once

#include "raft/messages.hpp"
#include "raft/node_state.hpp"

#include <vector>

namespace troupe::raft {

/// True if the requester's log is at least as up to date as ours (Raft paper, section 5.4.1).
bool up_to_date(const vote_request& request, const log_view& log);

/// Requests to all other voters, for a vote or (`pre`) for a word on it.
void ask_voters(const node_state& state, bool pre, bool transfer, std::vector<rpc>& to);

/// The answer to a pre-vote: nothing is remembered. `sticky`: a leader was heard from too recently for an election
/// (Ongaro's thesis, sections 4.2.3 and 9.6).
vote_response answer_pre_vote(const vote_request& request, const node_state& state, bool sticky);

/// A refusal in the own term, for requests of the past and for votes already given.
vote_response refuse_vote(const vote_request& request, const node_state& state);

/// Tells a node that it is no member, if this one knows that for sure. A candidate gets its answer all the same: it may
/// know of a newer configuration.
void tell_removed(node_id peer, node_state& state, time_point now, output& out);

/// A refusal that tells a leader of an older term what the current one is.
append_response refuse_stale(const append_request& request, const node_state& state);
snapshot_response refuse_stale(const snapshot_request& request, const node_state& state);

} // namespace troupe::raft
