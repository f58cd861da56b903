// The rules for granting and requesting votes.
#pragma once

#include "raft/messages.hpp"
#include "raft/node_state.hpp"

#include <vector>

namespace troupe::raft {

/// True if the requester's log is at least as up to date as `log` (Raft paper, section 5.4.1).
bool up_to_date(const vote_request& request, const log_view& log);

/// Adds to `to` the vote requests for all other voters or, with `pre`, pre-vote requests.
void ask_voters(const node_state& state, bool pre, bool transfer, std::vector<rpc>& to);

/// The response to a pre-vote request; it changes no state. `sticky`: this node has heard from a leader too recently to
/// support an election (Ongaro's thesis, sections 4.2.3 and 9.6).
vote_response answer_pre_vote(const vote_request& request, const node_state& state, bool sticky);

/// A refusal in this node's own term, for requests of an earlier term and for votes already granted.
vote_response refuse_vote(const vote_request& request, const node_state& state);

/// Notifies a node that it is not a member, if this node knows that for certain. A candidate gets the response to its
/// request as well, since it may know a newer configuration.
void notify_removed(node_id peer, node_state& state, time_point now, output& out);

/// A refusal that informs a leader of an older term about the current term.
append_response refuse_stale(const append_request& request, const node_state& state);
snapshot_response refuse_stale(const snapshot_request& request, const node_state& state);

} // namespace troupe::raft
