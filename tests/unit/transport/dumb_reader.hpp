// The dumb oracle of the frame guard: takes a frame apart, builds it anew from what it found, and compares.
#pragma once

#include "runtime/transport/frame_guard.hpp"

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

namespace troupe::net::testing {

/// Reads the frames of one connection, in order. The options must outlive it.
class dumb_reader {
 public:
  dumb_reader(side here, const guard_options& options) : here_(here), options_(options) {}

  /// True for a frame that CAF's own code of a well-meaning node may have written next, and that CAF is to read here.
  bool accepts(std::string_view frame);

 private:
  side here_;
  const guard_options& options_;
  unsigned handshakes_ = 0;
  std::string peer_;
  std::set<std::uint64_t> senders_;
};

} // namespace troupe::net::testing
