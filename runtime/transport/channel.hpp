// A connected socket as a stream of bytes, with or without TLS. Non-blocking.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

namespace troupe::net {

enum class flow {
  moved,  ///< some bytes were moved
  again,  ///< the socket is not ready
  closed, ///< the other end closed the connection, or the stream is broken; no more bytes will arrive
};
struct transfer {
  flow state = flow::closed;
  /// Positive if the state is `moved`.
  std::size_t bytes = 0;
};

/// Does not own its socket. The socket must stay open while the channel is in use. Not thread-safe.
class channel {
 public:
  virtual ~channel() = default;
  /// `size` > 0.
  virtual transfer read(char* to, std::size_t size) = 0;
  /// `size` > 0. After `again` the caller must offer the same bytes again, possibly from another address.
  virtual transfer write(const char* from, std::size_t size) = 0;
  /// True if the channel has taken bytes from the socket that `read` has not returned yet. The socket does not become
  /// readable for them again.
  virtual bool holds_bytes() const = 0;
  /// Why the stream broke, for the log. Empty if the reason is unknown.
  virtual std::string problem() const { return {}; }
};

std::unique_ptr<channel> make_plain_channel(int socket);

} // namespace troupe::net
