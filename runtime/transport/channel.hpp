// A connected socket as a stream of bytes, with or without TLS. Non-blocking.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

namespace troupe::net {

enum class flow {
  moved,  ///< some bytes were moved
  again,  ///< the socket is not ready
  closed, ///< the other end is gone, or the stream is broken: nothing more comes
};
struct transfer {
  flow state = flow::closed;
  /// More than 0 with `moved`.
  std::size_t bytes = 0;
};

/// Does not own its socket, which must stay open as long as it is used. Used by one thread at a time.
class channel {
 public:
  virtual ~channel() = default;
  /// `size` > 0.
  virtual transfer read(char* to, std::size_t size) = 0;
  /// `size` > 0. After `again` the same bytes are to be offered again, perhaps from another place.
  virtual transfer write(const char* from, std::size_t size) = 0;
  /// Bytes were taken from the socket that `read` has not handed out yet: the socket will not announce them again.
  virtual bool holds_bytes() const = 0;
  /// Why the stream broke, for a log; empty when that is not known.
  virtual std::string problem() const { return {}; }
};

std::unique_ptr<channel> make_plain_channel(int socket);

} // namespace troupe::net
