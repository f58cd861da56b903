// Messages that nodes send to each other, as examples for tests and fuzzers.
#pragma once

#include "actors/protocol/messages.hpp"
#include "actors/protocol/wire_messages.hpp"

#include <string>

namespace troupe::test {

/// Calls `add(message)`: for every message that crosses the network as it is constructed, and again with contents for
/// those with lists or texts.
template <class F> void for_each_wire_example(F add) {
  for_each_wire_message([&]<class Message>(const char*) { add(Message{}); });
  const raft::header head{{7}, {1}, {2}, 3};
  raft::append_request entries;
  entries.head = head;
  for (raft::index_t index = 1; index <= 3; ++index)
    entries.entries.push_back({index, 3, raft::entry_kind::command, raft::bytes{std::string(index * 10, 'x')}});
  add(entries);
  raft::snapshot_request part;
  part.head = head;
  part.data = raft::bytes{std::string{"part of a snapshot"}};
  add(part);
  hello refusing;
  refusing.address = "127.0.0.1:5000";
  refusing.introduces = {{{1}, "127.0.0.1:5000"}, {{2}, ""}};
  refusing.refusal = "why";
  add(refusing);
  client_welcome welcome;
  welcome.leader_address = "127.0.0.1:5000";
  welcome.members = {{{1}, "127.0.0.1:5000"}, {{2}, ""}};
  add(welcome);
  add(propose_formation{{7}, {1}, {{{1}, "127.0.0.1:5000"}}, 0});
  add(formation_answer{{7}, {1}, false, "why"});
  command_batch commands;
  commands.commands.push_back({1, access::linearizable_read, 1000, raft::bytes{std::string{"payload"}}});
  add(commands);
  command_batch changes;
  changes.forwarded = true;
  changes.changes.push_back({2, 1000, raft::change_members{0, {{{{1}, "127.0.0.1:5000"}, true, {2}}}, {{3}}, 7}});
  changes.changes.push_back({3, 0, raft::transfer_leadership{0, {5}}});
  add(changes);
  outcome_batch outcomes;
  outcomes.leader_address = "127.0.0.1:5000";
  outcomes.outcomes.push_back({1, errc::refused, 5, "because"});
  add(outcomes);
  stage_chunk chunk;
  chunk.data = raft::bytes{std::string{"part of a backup"}};
  add(chunk);
  chunk_staged refused;
  refused.code = errc::refused;
  refused.problem = "why";
  add(refused);
}

} // namespace troupe::test
