// Runs services without actors, in place of the dispatcher and the service shells, for tests.
#pragma once

#include "services/command.hpp"
#include "services/machine.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>

namespace troupe::test {

class service_set {
 public:
  void add(std::unique_ptr<services::machine> service) {
    std::string name(service->name());
    machines_[name] = std::move(service);
  }
  services::reply apply(std::string_view envelope, const services::apply_context& context) {
    return route(envelope, [&](auto& service, const auto& m) { return service.apply(m.tag, m.payload, context); });
  }
  services::reply query(std::string_view envelope) const {
    return route(envelope, [](const auto& service, const auto& m) { return service.query(m.tag, m.payload); });
  }

 private:
  template <class Run> services::reply route(std::string_view envelope, const Run& run) const {
    const auto message = services::decode_command(envelope);
    if (!message) return {services::reply_status::undecodable, services::why_no_command(envelope)};
    const auto found = machines_.find(message->service);
    if (found == machines_.end())
      return {services::reply_status::unknown_service, services::why_no_service(message->service)};
    return run(*found->second, *message);
  }
  std::map<std::string, std::unique_ptr<services::machine>, std::less<>> machines_;
};

} // namespace troupe::test
