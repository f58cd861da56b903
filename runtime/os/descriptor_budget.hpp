// How many file descriptors each part of the process may use, so that connections cannot use up those that the log
// needs.
#pragma once

#include <sys/resource.h>

#include <atomic>
#include <cstddef>
#include <limits>

namespace troupe {

/// Shares of the process's limit of open files (RLIMIT_NOFILE, soft). The rest, at least a quarter, is left to storage,
/// threads, name resolution and the libraries.
struct descriptor_budget {
  static constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();

  /// Connections of the transport, including those in their opening.
  std::size_t transport_connections = unlimited;
  /// Those of them that are in their opening.
  std::size_t transport_openings = unlimited;
  /// Connections of all HTTP servers of the process together.
  std::size_t http_connections = unlimited;
};

/// The shares of a process that may have `limit` open files.
constexpr descriptor_budget share_descriptors(std::size_t limit) {
  if (limit == descriptor_budget::unlimited) return {};
  return {limit / 2, limit / 8, limit / 4};
}

/// The shares under the current limit. Call this after the limit has been raised.
inline descriptor_budget descriptor_shares() {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur == RLIM_INFINITY) return {};
  return share_descriptors(static_cast<std::size_t>(files.rlim_cur));
}

/// Counts the descriptors of one share that several objects of the process hold together. Thread-safe.
class descriptor_count {
 public:
  void add(std::size_t count) noexcept { held_ += count; }
  void remove(std::size_t count) noexcept { held_ -= count; }
  std::size_t held() const noexcept { return held_; }

 private:
  std::atomic<std::size_t> held_ = 0;
};

/// The connections of all HTTP servers of the process, plus their reserves for probes.
inline descriptor_count http_descriptors;

/// The incoming connections in their opening, and the outgoing ones, of all transports of the process.
inline descriptor_count opening_descriptors;
inline descriptor_count dialing_descriptors;

} // namespace troupe
