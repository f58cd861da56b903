// How a service's state leaves for a snapshot and comes back.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

namespace troupe::services {

/// Takes the bytes of one service's state, in order. `write` may throw (a full disk); let it pass.
class snapshot_sink {
 public:
  virtual ~snapshot_sink() = default;
  virtual void write(std::string_view bytes) = 0;
};

/// Gives the bytes back that the sink took, in order.
class snapshot_source {
 public:
  virtual ~snapshot_source() = default;
  /// Fills `into` as far as there are bytes left; returns how many it read, 0 at the end. Throws when the disk fails or
  /// the bytes are damaged.
  virtual std::size_t read(std::span<char> into) = 0;
};

/// A machine's state at one moment. Used by one thread at a time, which need not be the machine's.
class machine_view {
 public:
  virtual ~machine_view() = default;
  virtual void save(snapshot_sink& to) const = 0;
};

} // namespace troupe::services
