// The simple oracle of the frame guard: parses a frame, builds it again from the result, and compares.
#pragma once

#include "runtime/transport/frame_guard.hpp"
#include "tests/unit/transport/basp_dialect.hpp"

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

namespace troupe::net::testing {

/// Reads the frames of one connection, in order. The dialect and the options must outlive it.
class dumb_reader {
 public:
  dumb_reader(side here, const basp_dialect& dialect, const guard_options& options)
      : here_(here), dialect_(dialect), options_(options) {}

  /// True for a frame that CAF on a correct node may write next, and that CAF here should read.
  bool accepts(std::string_view frame);

 private:
  side here_;
  const basp_dialect& dialect_;
  const guard_options& options_;
  unsigned handshakes_ = 0;
  std::string peer_;
  std::set<std::uint64_t> senders_;
};

} // namespace troupe::net::testing
