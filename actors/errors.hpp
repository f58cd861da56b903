// The errors of requests, and the outcome that each one implies.
#pragma once

#include "actors/caf.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace troupe {

/// Every answer belongs to one of three classes.
enum class outcome : std::uint8_t {
  committed, ///< done, and on a majority of disks
  rejected,  ///< certainly not done; a retry is safe, see `retryable`
  unknown,   ///< leadership was lost or the deadline passed in between: the request was done once, or not at all
};

/// Why a request has no result. The values cross the network.
enum class errc : std::uint8_t {
  none = 0,
  no_leader = 1,        ///< rejected: there was no leader before the deadline
  not_leader = 2,       ///< rejected: this node is not the leader; used between nodes only
  not_ready = 3,        ///< rejected: this node is not part of a formed cluster yet
  overloaded = 4,       ///< rejected: too many requests are already waiting
  stopping = 5,         ///< rejected: this node is shutting down
  unknown_service = 6,  ///< rejected: no service of this name
  unknown_type = 7,     ///< rejected: the service has no such command or query
  undecodable = 8,      ///< rejected: the command's bytes do not match its type
  refused = 9,          ///< rejected by the service, with the service's own text
  too_large = 10,       ///< rejected: the command exceeds what a log entry may hold
  deadline = 11,        ///< rejected: the deadline passed before the request was handed to a log
  outcome_unknown = 12, ///< unknown
  disk_full = 13,       ///< rejected: the leader's disk is full
  disk_failed = 14,     ///< rejected: this node's disk failed; the node does nothing until it is started again
  state_full = 15       ///< rejected: the command may add to a state that has reached its quota
};

constexpr bool is_known(errc code) { return static_cast<std::uint8_t>(code) <= 15; }

outcome outcome_of(errc code);
/// True if the same request may succeed when it is sent again. If the outcome is `unknown`, a retry may do it twice.
bool retryable(errc code);
/// A stable identifier for logs and APIs, such as "no_leader".
const char* to_string(errc code);
const char* to_string(outcome value);

/// An error with its details.
struct error_info {
  errc code = errc::none;
  std::string message;
  /// Node id and address of the leader; empty if unknown.
  std::string leader_id;
  std::string leader_address;
};

/// Makes an error for a typed response that carries all of `info`.
caf::error make_error(const error_info& info);
/// The inverse of `make_error`. Errors that `make_error` did not make (a CAF timeout, an actor that has ended) become
/// `outcome_unknown`.
error_info describe(const caf::error& e);

} // namespace troupe
