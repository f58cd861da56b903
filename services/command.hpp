// The envelope of a message to a service: the service's name, the message's tag, and the encoded message.
//
//   format u8 = 1 | service size u8 | service | tag size u8 | tag | payload (the rest)
//
// Log entries of kind `command` and queries contain such an envelope.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace troupe::services {

/// The only format so far. It is the first byte, so that a later format can have more fields, such as a session and a
/// sequence number.
inline constexpr unsigned char command_format = 1;

/// Not the name of a service: commands with it are for the cluster itself (restore_command.hpp).
inline constexpr std::string_view cluster_service = "$cluster";

/// The parts of an envelope. The views point into the bytes that were decoded.
struct command_view {
  std::string_view service;
  std::string_view tag;
  std::string_view payload;

  friend bool operator==(const command_view&, const command_view&) = default;
};

/// Throws std::length_error if `service` or `tag` is not a valid name (1 to 255 bytes).
std::string encode_command(std::string_view service, std::string_view tag, std::string_view payload);

/// Returns nullopt for bytes that are not an envelope of a known format. Never throws or copies.
std::optional<command_view> decode_command(std::string_view data) noexcept;

/// Whether a command's bytes are for the cluster itself, valid or not.
bool is_for_cluster(std::string_view data) noexcept;

/// The tag of a query that asks a service whether a command would make its present state larger. Its payload is the
/// command's envelope, and its answer is `would_add` or `would_not_add`.
inline constexpr std::string_view adds_query = "$adds";
inline constexpr std::string_view would_add = "1";
inline constexpr std::string_view would_not_add = "0";
std::string encode_adds_query(const command_view& command);

/// A human-readable reason why decode_command returned nullopt. Always printable, and the same on every node.
std::string why_no_command(std::string_view data);
/// The same for an envelope of a service that does not exist.
std::string why_no_service(std::string_view name);

} // namespace troupe::services
