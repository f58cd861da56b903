// Runs services without actors, in place of the dispatcher and the service shells, for tests.
#pragma once

#include "services/command.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <troupe/detail/machine.hpp>

namespace troupe::test {

class service_set {
 public:
  void add(std::unique_ptr<detail::machine> service) {
    std::string name(service->name());
    machines_[name] = std::move(service);
  }
  detail::reply apply(std::string_view envelope, const apply_context& context) {
    return route(envelope, [&](auto& service, const auto& m) { return service.apply(m.tag, m.payload, context); });
  }
  detail::reply query(std::string_view envelope) const {
    return route(envelope, [](const auto& service, const auto& m) { return service.query(m.tag, m.payload); });
  }

 private:
  template <class Run> detail::reply route(std::string_view envelope, const Run& run) const {
    const auto message = services::decode_command(envelope);
    if (!message) return {detail::reply_status::undecodable, services::why_no_command(envelope)};
    const auto found = machines_.find(message->service);
    if (found == machines_.end())
      return {detail::reply_status::unknown_service, services::why_no_service(message->service)};
    return run(*found->second, *message);
  }
  std::map<std::string, std::unique_ptr<detail::machine>, std::less<>> machines_;
};

} // namespace troupe::test
