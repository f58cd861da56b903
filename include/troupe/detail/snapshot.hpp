// How the state of a service gets into a snapshot and back.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

namespace troupe::detail {

/// Takes the bytes of one service's state, in order. `write` throws when the disk is full; let the exception pass.
class snapshot_sink {
 public:
  virtual ~snapshot_sink() = default;
  virtual void write(std::string_view bytes) = 0;
};

/// Returns the bytes that the sink took, in order.
class snapshot_source {
 public:
  virtual ~snapshot_source() = default;
  /// Fills `into` as far as bytes are left; returns how many bytes it read, 0 at the end. Throws when the disk fails or
  /// the bytes are damaged.
  virtual std::size_t read(std::span<char> into) = 0;
};

/// The state of a service at one moment. One thread uses it at a time, which may be another one than the service's.
class machine_view {
 public:
  virtual ~machine_view() = default;
  virtual void save(snapshot_sink& to) const = 0;
};

} // namespace troupe::detail
