// What a service answers, as bytes.
#pragma once

#include <cstdint>
#include <string>

namespace troupe::detail {

/// How a service handled a message. The values are part of the wire format. With any status but `ok` the state did not
/// change, and every replica comes to the same status.
enum class reply_status : std::uint8_t {
  ok = 0,
  unknown_service = 1, ///< the cluster runs no service of that name
  unknown_type = 2,    ///< the service has no such command or query
  undecodable = 3,     ///< the bytes are not a message of that type
  refused = 4,         ///< the service threw `refused`
};

/// True for a byte that names a status.
constexpr bool is_reply_status(std::uint8_t value) { return value <= 4; }

struct reply {
  reply_status status = reply_status::ok;
  /// The encoded result if the status is `ok`, else a human-readable reason (ASCII, unless the service put something
  /// else into it).
  std::string payload;

  friend bool operator==(const reply&, const reply&) = default;
};

} // namespace troupe::detail
