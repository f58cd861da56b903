// What can go wrong with a request, and what that says about it.
#pragma once

#include "actors/caf.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace troupe {

/// The three classes that every answer falls into.
enum class outcome : std::uint8_t {
  committed, ///< done, on a majority of disks
  rejected,  ///< surely not done: retry freely if it may succeed later
  unknown,   ///< leadership or the deadline was lost in between: it may have been done, once
};

/// Why a request was not answered with a result. The values cross the network.
enum class errc : std::uint8_t {
  none = 0,
  no_leader = 1,        ///< rejected: nobody led until the deadline
  not_leader = 2,       ///< rejected: this node does not lead; between nodes only
  not_ready = 3,        ///< rejected: this node is not part of a formed cluster yet
  overloaded = 4,       ///< rejected: too much is waiting already
  stopping = 5,         ///< rejected: this node is shutting down
  unknown_service = 6,  ///< rejected: no service of this name
  unknown_type = 7,     ///< rejected: the service has no such command or query
  undecodable = 8,      ///< rejected: the command's bytes are not what its type says
  refused = 9,          ///< rejected by the service, with its own text
  too_large = 10,       ///< rejected: the command exceeds what a log entry may hold
  deadline = 11,        ///< rejected: the deadline passed before the request was handed to a log
  outcome_unknown = 12, ///< unknown
  disk_full = 13,       ///< rejected: the leader's disk has no room
  disk_failed = 14,     ///< rejected: this node's disk failed, and it takes no part until it is started again
  state_full = 15       ///< rejected: the command may add to a state that has reached its quota
};

constexpr bool is_known(errc code) { return static_cast<std::uint8_t>(code) <= 15; }

outcome outcome_of(errc code);
/// True if the same request may succeed when it is sent again (for `unknown`: at the price of being done twice).
bool retryable(errc code);
/// A stable word for logs and APIs: "no_leader".
const char* to_string(errc code);
const char* to_string(outcome value);

/// What an error tells beyond its code.
struct error_info {
  errc code = errc::none;
  std::string message;
  /// The leader as far as it is known, else empty: node id and address.
  std::string leader_id;
  std::string leader_address;
};

/// An error for a typed response, carrying all of `info`.
caf::error make_error(const error_info& info);
/// The reverse; errors of other origin (a CAF timeout, an actor that is gone) become `outcome_unknown`.
error_info describe(const caf::error& e);

} // namespace troupe
