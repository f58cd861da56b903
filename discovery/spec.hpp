// What `--discovery` says: by which method nodes find each other.
#pragma once

#include "discovery/host_port.hpp"

#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace troupe {

/// A specification that cannot be read.
class bad_discovery : public std::invalid_argument {
 public:
  using std::invalid_argument::invalid_argument;
};

struct no_discovery {
  friend bool operator==(const no_discovery&, const no_discovery&) = default;
};
/// Each address once, in the order in which they were given.
struct static_list {
  std::vector<host_port> addresses;
  friend bool operator==(const static_list&, const static_list&) = default;
};
using discovery_spec = std::variant<no_discovery, static_list>;

/// Reads "static:host:port,host:port,...", "none", or the empty text for none. Spaces around addresses are ignored.
/// Throws `bad_discovery`, or `bad_address` for one of the addresses.
discovery_spec parse_discovery(std::string_view text);

} // namespace troupe
