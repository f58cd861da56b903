// Runs an opening on the thread of an io_context: what to wait for on its socket.
#pragma once

#include "runtime/transport/opening.hpp"

#include <boost/asio/posix/descriptor_base.hpp>

#include <optional>

namespace troupe::net {

/// Continues the opening as far as its socket allows. Returns what the socket must become ready for, or nothing when
/// the opening is done. Throws opening_error.
inline std::optional<boost::asio::posix::descriptor_base::wait_type> advance(opening& talk) {
  using descriptor = boost::asio::posix::descriptor_base;
  switch (talk.step()) {
  case opening::wants::read:
    return descriptor::wait_read;
  case opening::wants::write:
    return descriptor::wait_write;
  case opening::wants::nothing:
    break;
  }
  return std::nullopt;
}

} // namespace troupe::net
