// How a request can fail, and what a failure says about its effect.
#pragma once

#include <caf/error.hpp>
#include <caf/fwd.hpp>
#include <cstdint>
#include <string>

namespace troupe {

/// The three classes into which every answer falls.
enum class outcome : std::uint8_t {
  committed, ///< done, and on a majority of disks
  rejected,  ///< surely not done: safe to retry
  unknown,   ///< leadership or the deadline was lost in between: it may have been done, at most once
};

/// Why a request was not answered with a result. The values cross the network.
enum class errc : std::uint8_t {
  none = 0,
  no_leader = 1,        ///< rejected: there was no leader until the deadline
  not_leader = 2,       ///< rejected: this node does not lead; between nodes only
  not_ready = 3,        ///< rejected: this node is not part of a formed cluster yet, or starting
  overloaded = 4,       ///< rejected: too much is waiting already
  stopping = 5,         ///< rejected: this node is shutting down
  unknown_service = 6,  ///< rejected: no service has this name
  unknown_type = 7,     ///< rejected: the service has no such command or query
  undecodable = 8,      ///< rejected: the command's bytes do not match its type
  refused = 9,          ///< rejected by the service or the node, with its own text
  too_large = 10,       ///< rejected: the command is larger than a log entry may be
  deadline = 11,        ///< rejected: the deadline passed before the request was handed to a log
  outcome_unknown = 12, ///< unknown
  disk_full = 13,       ///< rejected: the leader's disk has no room
  disk_failed = 14,     ///< rejected: this node's disk failed, and it does nothing until it is started again
  state_full = 15       ///< rejected: the command may add to a state that has reached its quota
};

constexpr bool is_known(errc code) { return static_cast<std::uint8_t>(code) <= 15; }

outcome outcome_of(errc code);
/// True if the same request may succeed when it is sent again. If the outcome is unknown, it may then be done twice.
bool retryable(errc code);
/// A stable word for logs and APIs: "no_leader".
const char* to_string(errc code);
const char* to_string(outcome value);

/// What an error says beyond its code.
struct error_info {
  errc code = errc::none;
  /// Human-readable.
  std::string message;
  /// The id and the address of the leader; empty if they are not known.
  std::string leader_id;
  std::string leader_address;
};

/// Makes an error for a typed response that carries all of `info`.
caf::error make_error(const error_info& info);
/// The reverse. An error of another origin (a CAF timeout, an actor that ended) becomes `outcome_unknown`.
error_info describe(const caf::error& e);

/// Describes any error, also one of CAF, in one human-readable line of at most 500 bytes: the strings that it carries,
/// or CAF's rendering if it carries anything else.
std::string to_text(caf::actor_system& system, const caf::error& e);
/// True if an actor that ended with this reason did not fail: it was asked to end, or had nothing left to do.
bool is_orderly(const caf::error& reason);

} // namespace troupe
