// Classifies errors of the operating system by what they mean for the caller (docs/architecture.md, "Errors of the
// operating system").
#pragma once

#include <cerrno>

namespace troupe {

enum class os_error {
  /// A resource ran out for the moment (descriptors, memory, threads), or the call was interrupted. Nothing was done.
  /// The same call may succeed a moment later.
  temporary,
  /// The disk or the quota on it is full. Nothing else is wrong.
  no_room,
  /// Any other error. After a write or a sync, it is unknown what reached the disk.
  failed,
};

/// Classifies the errors of all calls except fsync and fdatasync.
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

/// Classifies the errors of fsync and fdatasync. Whatever the cause, Linux may have marked unwritten pages as clean,
/// and a second call would not report that.
constexpr os_error classify_sync(int /*code*/) { return os_error::failed; }

/// Calls `f` again while a signal interrupts it. On failure `f` must return a negative number and set errno.
template <class F> auto uninterrupted(F f) {
  auto result = f();
  while (result < 0 && errno == EINTR) result = f();
  return result;
}

} // namespace troupe
