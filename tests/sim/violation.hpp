// The exception that ends a simulation.
#pragma once

#include <stdexcept>

namespace troupe::sim {

/// A rule of the protocol is broken. The text names the rule and the node.
class violation : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

} // namespace troupe::sim
