// How many file descriptors each part of the process may use, so that connections cannot take those that the log needs.
#pragma once

#include <sys/resource.h>

#include <atomic>
#include <cstddef>
#include <limits>

namespace troupe {

/// Shares of the process's limit of open files (RLIMIT_NOFILE, soft). What no share names is left to storage, threads,
/// name resolution and the libraries: a quarter at least.
struct descriptor_budget {
  static constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();

  /// Connections of the transport, those that are still being opened included.
  std::size_t transport_connections = unlimited;
  /// Of these, connections that are still being opened.
  std::size_t transport_openings = unlimited;
  /// Connections of all HTTP servers of the process together.
  std::size_t http_connections = unlimited;
};

/// The shares of a process that may have so many files open.
constexpr descriptor_budget share_descriptors(std::size_t limit) {
  if (limit == descriptor_budget::unlimited) return {};
  return {limit / 2, limit / 8, limit / 4};
}

/// The shares under the limit as it is now. Call it after the limit was raised.
inline descriptor_budget descriptor_shares() {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur == RLIM_INFINITY) return {};
  return share_descriptors(static_cast<std::size_t>(files.rlim_cur));
}

/// The descriptors that several objects of the process hold of one share. Thread-safe.
class descriptor_count {
 public:
  void add(std::size_t count) noexcept { held_ += count; }
  void remove(std::size_t count) noexcept { held_ -= count; }
  std::size_t held() const noexcept { return held_; }

 private:
  std::atomic<std::size_t> held_ = 0;
};

/// The connections of all HTTP servers of the process, and the reserves that these keep for probes.
inline descriptor_count http_descriptors;

/// The connections that the gates of the process's transports are opening, and those that these dial.
inline descriptor_count opening_descriptors;
inline descriptor_count dialing_descriptors;

} // namespace troupe
