#include "runtime/config.hpp"

#include "actors/errors.hpp"
#include "actors/messages.hpp"

#include <caf/io/middleman.hpp>

namespace troupe {

config::config() {
  load<caf::io::middleman>();
  compat::set_word(*this, "scheduler.policy", "sharing");
  compat::set(*this, "scheduler.max-threads", std::size_t{1});
  // An actor that is fed faster than it handles must not keep the worker from the heartbeats.
  compat::set(*this, "scheduler.max-throughput", std::size_t{300});
  compat::set(*this, "middleman.workers", std::size_t{0});
  compat::set(*this, "middleman.heartbeat-interval", caf::timespan{std::chrono::milliseconds{500}});
  compat::set(*this, "middleman.connection-timeout", caf::timespan{std::chrono::seconds{3}});
  add_message_type<raft::vote_request>("troupe.vote_request");
  add_message_type<raft::vote_response>("troupe.vote_response");
  add_message_type<raft::append_request>("troupe.append_request");
  add_message_type<raft::append_response>("troupe.append_response");
  add_message_type<hello>("troupe.hello");
  add_message_type<client_hello>("troupe.client_hello");
  add_message_type<client_welcome>("troupe.client_welcome");
  add_message_type<form>("troupe.form");
  add_message_type<form_answer>("troupe.form_answer");
  add_message_type<abort_form>("troupe.abort_form");
  add_message_type<command_batch>("troupe.command_batch");
  add_message_type<outcome_batch>("troupe.outcome_batch");
  add_message_type<read_index_request>("troupe.read_index_request");
  add_message_type<read_index_answer>("troupe.read_index_answer");
}

} // namespace troupe
