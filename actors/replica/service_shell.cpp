#include "actors/replica/service_shell.hpp"

#include "services/command.hpp"

#include <utility>

namespace troupe {
namespace {

errc code_of(detail::reply_status status) {
  switch (status) {
  case detail::reply_status::ok:
    return errc::none;
  case detail::reply_status::unknown_service:
    return errc::unknown_service;
  case detail::reply_status::unknown_type:
    return errc::unknown_type;
  case detail::reply_status::undecodable:
    return errc::undecodable;
  case detail::reply_status::refused:
    return errc::refused;
  }
  return errc::refused;
}

/// Whether the command in `envelope` may add to the state. A command that cannot be decoded counts as one that does.
detail::reply answer_adds_query(const detail::machine& service, std::string_view envelope) {
  const auto command = services::decode_command(envelope);
  const bool adds = !command || service.would_add(command->tag, command->payload);
  return {detail::reply_status::ok, std::string{adds ? services::would_add : services::would_not_add}};
}

detail::reply answer_query(const detail::machine& service, std::string_view tag, std::string_view payload) {
  return tag == services::adds_query ? answer_adds_query(service, payload) : service.query(tag, payload);
}

} // namespace

service_shell::service_shell(caf::actor_config& config, std::unique_ptr<detail::machine> service)
    : compat::typed_base<service_handle>(config), service_(std::move(service)) {}

service_handle::behavior_type service_shell::make_behavior() {
  compat::end_on_exceptions(this);
  return {
      [this](const apply_batch& m) { answer(apply(m)); },
      [this](const query_items& m) { answer(query(m)); },
      [this](const view_state& m) {
        answer(state_view{m.number, service_->view()});
      },
      [this](const replace_state& m) {
        service_.swap(*m.machine);
        answer(discarded_state{m.machine});
      },
  };
}

applied_batch service_shell::apply(const apply_batch& batch) {
  applied_batch out;
  out.items.reserve(batch.items.size());
  for (const auto& item : batch.items) {
    auto reply = service_->apply(item.tag.view(), item.payload.view(), apply_context{item.index});
    if (item.term < batch.replies_from) reply.payload = {};
    out.items.push_back({item.index, item.term, code_of(reply.status), std::move(reply.payload)});
  }
  out.state_bytes = service_->state_bytes();
  return out;
}

queried_batch service_shell::query(const query_items& batch) const {
  queried_batch out;
  out.outcomes.reserve(batch.items.size());
  for (const auto& item : batch.items) {
    // A query changes nothing, so a failing query affects only its caller.
    try {
      auto reply = answer_query(*service_, item.tag.view(), item.payload.view());
      out.outcomes.push_back({item.number, code_of(reply.status), item.at, std::move(reply.payload)});
    } catch (const std::exception& e) {
      out.outcomes.push_back({item.number, errc::refused, item.at, std::string{"the query failed: "} + e.what()});
    }
  }
  return out;
}

} // namespace troupe
