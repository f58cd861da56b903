// The syntax of network addresses as text: "name:5000", "10.0.0.1:5000", "[fe80::1]:5000". Pure: resolves no names.
#pragma once

#include <cstddef>
#include <string_view>

namespace troupe::raft {

/// The length of the longest address: the longest DNS name, brackets, a colon and a port.
inline constexpr std::size_t max_address_size = 253 + 2 + 1 + 5;

/// Describes in words why `text` is not a valid host:port; nullptr if it is valid. IPv6 addresses must be in brackets,
/// and the port must be a number from 1 to 65535.
const char* address_problem(std::string_view text);

} // namespace troupe::raft
