// What both ends do on a new connection before CAF uses it: TLS if it is on, then the secret handshake.
//
//   [tls] -- done --> [secret handshake] -- done --> [done]
//     |                       |                                anything else: opening_error, and the connection is
//     closed
#pragma once

#include "runtime/transport/channel.hpp"
#include "runtime/transport/secret_handshake.hpp"
#include "runtime/transport/sockets.hpp"
#include "runtime/transport/tls.hpp"

#include <memory>
#include <string>

namespace troupe::net {

/// What a process presents to others, and demands of them. A copy is a snapshot: it does not change when files are
/// renewed.
struct credentials {
  /// Null: no TLS.
  std::shared_ptr<const tls_context> tls;
  /// Empty: none.
  std::string secret;
};

/// Does not own the socket, which must be non-blocking. Not thread-safe.
class opening {
 public:
  enum class wants { read, write, nothing };

  opening(side here, int socket, const credentials& mine);
  /// Continues as far as the socket allows. Returns what it waits for, or `nothing` when the opening is done. Never
  /// blocks. Throws opening_error.
  wants step();
  /// Steps until the opening is done. Blocks. Throws opening_error, also if that takes longer than `until`.
  void finish(steady_time until);
  /// Call this once the opening is done.
  std::unique_ptr<channel> take_channel() { return std::move(channel_); }

 private:
  void begin();
  bool first_bytes();
  bool send_pending();
  [[noreturn]] void fail(const std::string& why);

  side here_;
  int socket_;
  std::shared_ptr<const tls_context> tls_context_;
  std::unique_ptr<tls_handshake> tls_;
  std::unique_ptr<channel> channel_;
  secret_handshake secret_handshake_;
  /// Bytes of the other end, collected until the secret handshake can take them.
  std::string in_;
  std::string out_;
  bool begun_ = false;
};

} // namespace troupe::net
