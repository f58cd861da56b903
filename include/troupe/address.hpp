// Network addresses as text: "name:5000", "10.0.0.1:5000", "[fe80::1]:5000".
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace troupe {

/// An address that cannot be parsed. `what()` quotes it and says what is wrong.
class bad_address : public std::invalid_argument {
 public:
  using std::invalid_argument::invalid_argument;
};

struct host_port {
  /// A name or an IP address, without brackets. It is not resolved.
  std::string host;
  std::uint16_t port = 0;
  friend bool operator==(const host_port&, const host_port&) = default;
};

/// Parses host:port. IPv6 addresses are in brackets; the port is a number from 1 to 65535. Names become lower case.
/// Throws `bad_address`.
host_port parse_host_port(std::string_view text);
/// The reverse, with brackets where they are needed.
std::string to_string(const host_port& address);

/// Returns a host as the functions of the operating system expect it: "[::1]" becomes "::1", any other text is returned
/// as it is.
std::string unbracketed(std::string_view host);

/// True for the addresses of this machine alone: 127.0.0.0/8, ::1 and "localhost".
bool is_loopback(const std::string& host);

} // namespace troupe
