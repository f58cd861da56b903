// The syntax of network addresses as text: "name:5000", "10.0.0.1:5000", "[fe80::1]:5000". Pure: no name is resolved.
#pragma once

#include <cstddef>
#include <string_view>

namespace troupe::raft {

/// The longest address: the longest name of DNS, brackets, a colon and a port.
inline constexpr std::size_t max_address_size = 253 + 2 + 1 + 5;

/// What is wrong with `text` as host:port, for a person; nullptr if nothing is. IPv6 addresses are in brackets, and the
/// port is a number from 1 to 65535.
const char* address_problem(std::string_view text);

} // namespace troupe::raft
