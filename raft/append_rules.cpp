#include "raft/append_rules.hpp"

#include <algorithm>

namespace troupe::raft {

bool well_formed(const append_request& request) {
  auto index = request.prev_index;
  auto term = request.prev_term;
  if (index == 0 && term != 0) return false;
  for (const auto& e : request.entries) {
    if (e.index != ++index || e.term < term || e.term > request.head.term) return false;
    if (e.kind == entry_kind::configuration && !decode_configuration(e.data.view())) return false;
    term = e.term;
  }
  return request.prev_term <= request.head.term;
}

append_response accept_entries(const append_request& request, node_state& state, output& out) {
  append_response response;
  response.head = state.to(request.head.from);
  response.prev_index = request.prev_index;
  response.round = request.round;
  response.needs_snapshot = state.needs_snapshot();
  response.no_room = !state.has_room();
  response.session = request.session;
  response.incarnation = state.incarnation();
  const auto& log = state.log();
  const auto start = log.start().index;
  // What is compacted was committed, and equals what any leader has there.
  if (request.prev_index >= start && log.term_at(request.prev_index) != request.prev_term) {
    response.hint_index = log.last_at_or_below(request.prev_index - 1, request.prev_term);
    response.hint_term = *log.term_at(response.hint_index);
    state.note_known_commit(request.commit);
    return response;
  }
  // Entries that are here already stay: a late request must not cut what a newer one brought.
  auto fresh = std::find_if(request.entries.begin(), request.entries.end(),
                            [&](const entry& e) { return e.index > start && log.term_at(e.index) != e.term; });
  // What a new leader needs to begin its term is small, and there is room kept for it; not so for commands. Behind a
  // disk that stalls nothing more is to wait.
  auto end = request.entries.end();
  if (state.disk_stalled())
    end = fresh;
  else if (!state.has_room())
    end = std::find_if(fresh, end, [](const entry& e) { return e.kind == entry_kind::command; });
  response.match = request.prev_index + static_cast<index_t>(end - request.entries.begin());
  if (fresh != end && fresh->index <= log.last_index()) state.truncate_from(out, fresh->index);
  for (; fresh != end; ++fresh) state.append(out, *fresh);
  response.success = true;
  state.note_known_commit(request.commit);
  state.commit_to(std::min(request.commit, response.match));
  return response;
}

} // namespace troupe::raft
