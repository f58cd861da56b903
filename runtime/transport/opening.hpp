// What both ends do on a new connection before CAF speaks: TLS where it is on, then the greeting.
//
//   [tls] -- done --> [greeting] -- over --> [done]
//     |                   |                            anything else: opening_error, and the connection is closed
#pragma once

#include "runtime/transport/channel.hpp"
#include "runtime/transport/secret_handshake.hpp"
#include "runtime/transport/sockets.hpp"
#include "runtime/transport/tls.hpp"

#include <memory>
#include <string>

namespace troupe::net {

/// What a process shows to others, and asks of them. A copy is a snapshot: renewed files are not seen by it.
struct credentials {
  /// Null: no TLS.
  std::shared_ptr<const tls_context> tls;
  /// Empty: none.
  std::string secret;
};

/// Does not own the socket, which must be non-blocking. Used by one thread at a time.
class opening {
 public:
  enum class wants { read, write, nothing };

  opening(side here, int socket, const credentials& mine);
  /// Goes on as far as the socket allows, and says what it waits for; `nothing` when it is done. Never blocks.
  /// Throws opening_error.
  wants step();
  /// Steps until it is done. Blocks; throws opening_error also when that takes longer than `until`.
  void finish(steady_time until);
  /// Once it is done.
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
  /// Of the other end, towards what the greeting wants.
  std::string in_;
  std::string out_;
  bool begun_ = false;
};

} // namespace troupe::net
