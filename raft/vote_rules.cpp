#include "raft/vote_rules.hpp"

namespace troupe::raft {

bool up_to_date(const vote_request& request, const log_view& log) {
  if (request.last_term != log.last_term()) return request.last_term > log.last_term();
  return request.last_index >= log.last_index();
}

void ask_voters(const node_state& state, bool pre, bool transfer, std::vector<rpc>& to) {
  for (const auto& m : state.members().members()) {
    if (m.id == state.self() || !state.members().is_voter(m.id)) continue;
    vote_request request{state.to(m.id), state.log().last_index(), state.log().last_term(), pre, transfer};
    if (pre) ++request.head.term;
    to.push_back(request);
  }
}

vote_response answer_pre_vote(const vote_request& request, const node_state& state, bool sticky) {
  vote_response response{state.to(request.head.from), true, false};
  response.granted = !sticky && request.head.term > state.term() && up_to_date(request, state.log());
  if (response.granted) response.head.term = request.head.term;
  return response;
}

vote_response refuse_vote(const vote_request& request, const node_state& state) {
  return {state.to(request.head.from), request.pre, false};
}

void notify_removed(node_id peer, node_state& state, time_point now, output& out) {
  const auto at = state.log().configuration_index();
  const auto& members = state.members();
  if (at == 0 || !state.configuration_committed() || members.is_member(peer)) return;
  const auto out_for = std::chrono::duration_cast<std::chrono::milliseconds>(state.out_for(peer, now));
  state.send_durably(out, removed_notice{state.to(peer), at, state.commit(), members.is_dismissed(peer),
                                         members.forgotten, static_cast<std::uint64_t>(out_for.count())});
}

append_response refuse_stale(const append_request& request, const node_state& state) {
  append_response response;
  response.head = state.to(request.head.from);
  response.prev_index = request.prev_index;
  // The response carries this node's term, not the request's. It must say nothing about the log, because the sender of
  // the request may lead that term, too, by the time the response arrives.
  response.session = no_session;
  response.incarnation = state.incarnation();
  return response;
}

snapshot_response refuse_stale(const snapshot_request& request, const node_state& state) {
  return {state.to(request.head.from), {}, 0, 0, true, 0, false, no_session, state.incarnation()};
}

} // namespace troupe::raft
