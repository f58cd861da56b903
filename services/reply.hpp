// What a service answers.
#pragma once

#include <cstdint>
#include <string>

namespace troupe::services {

/// How a message fared. The values are part of the wire format. All but `ok` mean that the state did not change, and
/// every replica comes to the same one.
enum class reply_status : std::uint8_t {
  ok = 0,
  unknown_service = 1, ///< this cluster runs no service of that name
  unknown_type = 2,    ///< the service has no such command or query
  undecodable = 3,     ///< the bytes are not a message of that type
  refused = 4,         ///< the service said no
};

/// True for a byte that names a status.
constexpr bool is_reply_status(std::uint8_t value) { return value <= 4; }

struct reply {
  reply_status status = reply_status::ok;
  /// The encoded result if `ok`, else a message for people (ASCII unless the service put something else into it).
  std::string payload;

  friend bool operator==(const reply&, const reply&) = default;
};

} // namespace troupe::services
