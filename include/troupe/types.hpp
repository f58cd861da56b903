// The basic types of a cluster: ids, terms, log indexes, members.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace troupe {

/// A Raft term. 0 is "before any election".
using term_t = std::uint64_t;
/// A position in the log. The first entry has index 1; 0 means "nothing".
using index_t = std::uint64_t;

/// Identity of a node, drawn once and kept in its data directory; 0 means "none".
struct node_id {
  std::uint64_t value = 0;
  auto operator<=>(const node_id&) const = default;
  explicit operator bool() const noexcept { return value != 0; }
};

/// Identity of a cluster, drawn at its formation; 0 means "not formed".
struct cluster_id {
  std::uint64_t value = 0;
  auto operator<=>(const cluster_id&) const = default;
  explicit operator bool() const noexcept { return value != 0; }
};

/// Sixteen lower-case hexadecimal digits.
std::string to_string(node_id id);
std::string to_string(cluster_id id);
/// The reverse. Returns nothing for any other text, and for sixteen zeros.
std::optional<node_id> parse_node_id(std::string_view text);

/// A member of a cluster. The id identifies it; the address (host:port) is a hint where to reach it.
struct member {
  node_id id;
  std::string address;
  friend bool operator==(const member&, const member&) = default;
};

/// A node that joins as a learner, or a member that is to become something else.
struct addition {
  member who;
  /// It becomes a voter when it has caught up; otherwise it stays a learner.
  bool votes = true;
  /// The voter that leaves in the same step in which this node becomes a voter; no id: none.
  node_id replaces;
};

/// Whether a node belongs to a cluster. Promised: to a formation that may or may not complete. Formed: for good.
enum class membership_state : std::uint8_t { fresh = 0, promised = 1, formed = 2 };
constexpr bool is_known(membership_state s) { return static_cast<std::uint8_t>(s) <= 2; }

/// The role of a node in Raft.
enum class role_kind : std::uint8_t { follower, candidate, leader };
/// A stable word for logs and APIs: "follower".
const char* to_string(role_kind kind);

/// The index of a log entry and its term; {0, 0} is the position before the first entry.
struct log_position {
  index_t index = 0;
  term_t term = 0;
  friend bool operator==(const log_position&, const log_position&) = default;
};

/// Identifies a snapshot, or a backup, by its last entry, its size in bytes and its checksum. Snapshots of two nodes at
/// one position may have different bytes.
struct snapshot_id {
  log_position last;
  std::uint64_t size = 0;
  std::uint64_t checksum = 0;
  explicit operator bool() const noexcept { return size != 0; }
  friend bool operator==(const snapshot_id&, const snapshot_id&) = default;
};
/// "INDEX-TERM-SIZE-CHECKSUM", each in sixteen hexadecimal digits: the name of a snapshot for operators and in URLs.
std::string to_string(const snapshot_id& id);
/// The reverse. Returns nothing for any other text.
std::optional<snapshot_id> parse_snapshot_id(std::string_view text);

} // namespace troupe

/// @cond
template <> struct std::hash<troupe::node_id> {
  std::size_t operator()(troupe::node_id id) const noexcept { return std::hash<std::uint64_t>{}(id.value); }
};
/// @endcond
