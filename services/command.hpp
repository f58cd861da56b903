// The envelope of a message: which service, which type, and its bytes.
//
//   format u8 = 1 | service size u8 | service | tag size u8 | tag | payload (the rest)
//
// It is the data of a log entry of kind `command`, and what a query travels in.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace troupe::services {

/// The only format so far. It stands first so that a later one can carry more (a session, a sequence number).
inline constexpr unsigned char command_format = 1;

/// The service that is none: commands for it are for the cluster itself (member_command.hpp, restore_command.hpp).
inline constexpr std::string_view cluster_service = "$cluster";

/// An envelope taken apart. The views point into the bytes it was read from.
struct command_view {
  std::string_view service;
  std::string_view tag;
  std::string_view payload;

  friend bool operator==(const command_view&, const command_view&) = default;
};

/// Throws std::length_error if `service` or `tag` is not a valid name (1 to 255 bytes).
std::string encode_command(std::string_view service, std::string_view tag, std::string_view payload);

/// Nothing for bytes that are not an envelope of a known format. Never throws, never copies.
std::optional<command_view> decode_command(std::string_view data) noexcept;

/// Whether a command's bytes are for the cluster itself, be they valid or not.
bool is_for_cluster(std::string_view data) noexcept;

/// The tag of a query that asks a service whether a command would make its present state larger. Its payload is the
/// command's envelope, and its answer is `would_add` or `would_not_add`.
inline constexpr std::string_view adds_query = "$adds";
inline constexpr std::string_view would_add = "1";
inline constexpr std::string_view would_not_add = "0";
std::string encode_adds_query(const command_view& command);

/// Why decode_command gave nothing, for a person. Printable whatever the bytes, and the same on every node.
std::string why_no_command(std::string_view data);
/// The same for an envelope whose service no node has.
std::string why_no_service(std::string_view name);

} // namespace troupe::services
