// Messages that nodes send to each other, as examples for fuzzers.
#pragma once

#include "actors/protocol/interfaces.hpp"

#include <string>

namespace troupe::testing {

/// Calls `add(message)` for messages of all types that have lists or texts, and for some that do not.
template <class F> void for_each_sent_message(F add) {
  raft::append_request entries;
  entries.head = {{7}, {1}, {2}, 3};
  for (raft::index_t index = 1; index <= 3; ++index)
    entries.entries.push_back({index, 3, raft::entry_kind::command, raft::bytes{std::string(index * 10, 'x')}});
  command_batch commands;
  commands.commands.push_back({1, access::linearizable_read, 1000, raft::bytes{std::string{"payload"}}});
  commands.changes.push_back({2, 1000, raft::change_members{0, {{{{1}, "127.0.0.1:5000"}, true, {2}}}, {{3}}, 7}});
  commands.changes.push_back({3, 0, raft::transfer_leadership{0, {5}}});
  outcome_batch outcomes;
  outcomes.leader_address = "127.0.0.1:5000";
  outcomes.outcomes.push_back({1, errc::refused, 5, "because"});
  client_welcome welcome;
  welcome.members.push_back({{1}, "127.0.0.1:5000"});
  add(entries);
  add(raft::append_request{});
  add(raft::append_response{});
  add(raft::vote_request{});
  add(raft::vote_response{});
  add(hello{});
  add(client_hello{});
  add(welcome);
  add(propose_formation{});
  add(formation_answer{});
  add(abort_formation{});
  add(commands);
  add(outcomes);
  add(read_index_request{});
  add(read_index_answer{});
  add(stage_chunk{});
  add(chunk_staged{});
}

} // namespace troupe::testing
