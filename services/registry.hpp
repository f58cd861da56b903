// The services of a node, by name.
#pragma once

#include "services/machine.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::services {

/// Finds the service an envelope is for. Every node of a cluster holds the same services. Used by one thread at a time.
class registry {
 public:
  /// Throws std::invalid_argument if there is a service of that name already, or the name is not valid.
  void add(std::unique_ptr<machine> service);

  /// Nothing if there is no such service. The pointer lives as long as the registry.
  machine* find(std::string_view name) const noexcept;

  /// Sorted.
  std::vector<std::string_view> names() const;

  /// Runs the command in an envelope; what is not an envelope, or is for nobody here, gets a reply that says so. Throws
  /// only what a service throws.
  reply apply(std::string_view envelope, const apply_context& context);
  /// The same for a query.
  reply query(std::string_view envelope) const;

 private:
  std::map<std::string, std::unique_ptr<machine>, std::less<>> machines_;
};

/// The replies to an envelope that is none, and to one for a service that is not there.
reply not_an_envelope(std::string_view data);
reply no_such_service(std::string_view name);

} // namespace troupe::services
