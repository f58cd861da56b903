// Network addresses as text: "name:5000", "10.0.0.1:5000", "[fe80::1]:5000".
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace troupe {

/// An invalid address. The text quotes it and says what is wrong.
class bad_address : public std::invalid_argument {
 public:
  using std::invalid_argument::invalid_argument;
};

struct host_port {
  /// A name or an IP address, without brackets. Names are not resolved here.
  std::string host;
  std::uint16_t port = 0;
  friend bool operator==(const host_port&, const host_port&) = default;
};

/// Parses host:port. IPv6 addresses must be in brackets, and the port must be from 1 to 65535. Names are converted to
/// lower case. Throws `bad_address`.
host_port parse_host_port(std::string_view text);
/// The reverse, with brackets where they are needed.
std::string to_string(const host_port& address);

/// A host in the form that system functions accept: "[::1]" becomes "::1", anything else is returned unchanged.
std::string unbracketed(std::string_view host);

} // namespace troupe
