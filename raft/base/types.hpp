// The vocabulary of the protocol: ids, terms, indexes, time, bytes.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::raft {

/// A Raft term. 0 is "before any election".
using term_t = std::uint64_t;
/// A position in the log; the first entry has index 1, 0 means "nothing".
using index_t = std::uint64_t;

/// Time is an argument everywhere in raft/: the type is the steady clock's, nobody here reads the clock.
using clock = std::chrono::steady_clock;
using time_point = clock::time_point;
using duration = clock::duration;

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
/// The reverse; nothing for any other text, and for sixteen zeros.
std::optional<node_id> parse_node_id(std::string_view text);

} // namespace troupe::raft

template <> struct std::hash<troupe::raft::node_id> {
  std::size_t operator()(troupe::raft::node_id id) const noexcept { return std::hash<std::uint64_t>{}(id.value); }
};
