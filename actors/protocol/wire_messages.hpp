// The list of the messages that cross the network.
#pragma once

#include "actors/protocol/messages.hpp"

#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace troupe {

/// Calls `add.operator()<Message>(name)` for every message that crosses the network.
template <class F> void for_each_wire_message(F&& add) {
  add.template operator()<raft::vote_request>("troupe.vote_request");
  add.template operator()<raft::vote_response>("troupe.vote_response");
  add.template operator()<raft::append_request>("troupe.append_request");
  add.template operator()<raft::append_response>("troupe.append_response");
  add.template operator()<raft::snapshot_request>("troupe.snapshot_request");
  add.template operator()<raft::snapshot_response>("troupe.snapshot_response");
  add.template operator()<raft::timeout_now>("troupe.timeout_now");
  add.template operator()<raft::removed_notice>("troupe.removed_notice");
  add.template operator()<raft::removed_answer>("troupe.removed_answer");
  add.template operator()<raft::probe>("troupe.probe");
  add.template operator()<raft::probe_ack>("troupe.probe_ack");
  add.template operator()<raft::probe_request>("troupe.probe_request");
  add.template operator()<hello>("troupe.hello");
  add.template operator()<client_hello>("troupe.client_hello");
  add.template operator()<client_welcome>("troupe.client_welcome");
  add.template operator()<propose_formation>("troupe.propose_formation");
  add.template operator()<formation_answer>("troupe.formation_answer");
  add.template operator()<abort_formation>("troupe.abort_formation");
  add.template operator()<command_batch>("troupe.command_batch");
  add.template operator()<outcome_batch>("troupe.outcome_batch");
  add.template operator()<read_index_request>("troupe.read_index_request");
  add.template operator()<read_index_answer>("troupe.read_index_answer");
  add.template operator()<stage_chunk>("troupe.stage_chunk");
  add.template operator()<chunk_staged>("troupe.chunk_staged");
}

/// The messages by name, each with a function that returns whether bytes are an encoding of that message.
using wire_checks = std::map<std::string, bool (*)(std::string_view), std::less<>>;
inline wire_checks wire_messages() {
  wire_checks checks;
  for_each_wire_message([&]<class Message>(const char* name) { checks.emplace(name, wire::is_encoded<Message>); });
  return checks;
}

} // namespace troupe
