// What an error of the operating system means for the code that made the call (docs/architecture.md, "Errors of the
// operating system").
#pragma once

#include <cerrno>

namespace troupe {

enum class os_error {
  /// The process or the machine is short of something that comes back: descriptors, memory, threads, a turn. Nothing
  /// was done; the same call may succeed a moment later.
  temporary,
  /// The disk, or the quota on it, is full. Nothing else is wrong.
  no_room,
  /// Anything else. Of a write or a sync: what reached the disk is unknown.
  failed,
};

/// Of every call but fsync and fdatasync.
constexpr os_error classify(int code) {
  switch (code) {
  case EINTR:
  case EAGAIN:
  case EMFILE:
  case ENFILE:
  case ENOMEM:
  case ENOBUFS:
    return os_error::temporary;
  case ENOSPC:
  case EDQUOT:
    return os_error::no_room;
  default:
    return os_error::failed;
  }
}

/// Of fsync and fdatasync: whatever the cause, pages that were not written may be marked as clean (Linux), and a second
/// call would not tell.
constexpr os_error classify_sync(int /*code*/) { return os_error::failed; }

/// Calls `f` until it is not interrupted by a signal. `f` returns a negative number and sets errno when it fails.
template <class F> auto uninterrupted(F f) {
  auto result = f();
  while (result < 0 && errno == EINTR) result = f();
  return result;
}

} // namespace troupe
