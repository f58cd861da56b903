// The basic types of the protocol: ids, terms, indexes, time.
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
/// A position in the log. The first entry has index 1; 0 means "none".
using index_t = std::uint64_t;

/// In raft/, the current time is always passed as an argument. The types are those of the steady clock, but no code
/// here reads a clock.
using clock = std::chrono::steady_clock;
using time_point = clock::time_point;
using duration = clock::duration;

/// Identity of a node, drawn at random once and kept in its data directory; 0 means "none".
struct node_id {
  std::uint64_t value = 0;
  auto operator<=>(const node_id&) const = default;
  explicit operator bool() const noexcept { return value != 0; }
};

/// Identity of a cluster, drawn at random during its formation; 0 means "not formed".
struct cluster_id {
  std::uint64_t value = 0;
  auto operator<=>(const cluster_id&) const = default;
  explicit operator bool() const noexcept { return value != 0; }
};

/// Sixteen lower-case hexadecimal digits.
std::string to_string(node_id id);
std::string to_string(cluster_id id);
/// The reverse; nullopt for any other text and for sixteen zeros.
std::optional<node_id> parse_node_id(std::string_view text);

} // namespace troupe::raft

template <> struct std::hash<troupe::raft::node_id> {
  std::size_t operator()(troupe::raft::node_id id) const noexcept { return std::hash<std::uint64_t>{}(id.value); }
};
