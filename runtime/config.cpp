#include "runtime/config.hpp"

#include "actors/errors.hpp"
#include "actors/protocol/messages.hpp"
#include "runtime/transport/network_registry.hpp"

#include <caf/io/middleman.hpp>

namespace troupe {
namespace {

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
  add.template operator()<form>("troupe.form");
  add.template operator()<form_answer>("troupe.form_answer");
  add.template operator()<abort_form>("troupe.abort_form");
  add.template operator()<command_batch>("troupe.command_batch");
  add.template operator()<outcome_batch>("troupe.outcome_batch");
  add.template operator()<read_index_request>("troupe.read_index_request");
  add.template operator()<read_index_answer>("troupe.read_index_answer");
  add.template operator()<stage_piece>("troupe.stage_piece");
  add.template operator()<piece_staged>("troupe.piece_staged");
}

} // namespace

config::config() : networks_(std::make_shared<network_registry>()) {
  load<caf::io::middleman>();
  compat::set_word(*this, "scheduler.policy", "sharing");
  compat::set(*this, "scheduler.max-threads", std::size_t{1});
  // An actor that is fed faster than it handles must not keep the worker from the heartbeats.
  compat::set(*this, "scheduler.max-throughput", std::size_t{300});
  compat::set(*this, "middleman.workers", std::size_t{0});
  // CAF's own timeout would also fail connections that are just being made; the transport watches for silence.
  compat::set(*this, "middleman.heartbeat-interval", caf::timespan{std::chrono::milliseconds{200}});
  compat::set(*this, "middleman.connection-timeout", caf::timespan{0});
  for_each_wire_message([this]<class Message>(const char* name) { add_message_type<Message>(name); });
}

wire_checks wire_messages() {
  wire_checks checks;
  for_each_wire_message([&]<class Message>(const char* name) { checks.emplace(name, wire::is_encoded<Message>); });
  return checks;
}

} // namespace troupe
