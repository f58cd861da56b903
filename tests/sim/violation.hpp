// What a simulation stops with.
#pragma once

#include <stdexcept>

namespace troupe::sim {

/// A rule of the protocol does not hold; the text names the rule and who broke it.
class violation : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

} // namespace troupe::sim
