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
  // Compacted entries were committed, so they match every leader's log.
  if (request.prev_index >= start && log.term_at(request.prev_index) != request.prev_term) {
    response.hint_index = log.last_at_or_below(request.prev_index - 1, request.prev_term);
    response.hint_term = *log.term_at(response.hint_index);
    state.note_known_commit(request.commit);
    return response;
  }
  // Entries that are already in the log stay: a late request must not truncate what a newer one appended.
  auto fresh = std::find_if(request.entries.begin(), request.entries.end(),
                            [&](const entry& e) { return e.index > start && log.term_at(e.index) != e.term; });
  // The entries with which a new leader begins its term are small, and room is reserved for them, but not for commands.
  // While the disk stalls, nothing more may queue behind it.
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
