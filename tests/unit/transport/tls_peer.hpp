// The other end of a TLS connection as the production code would never be: it shows any certificate or none, demands
// nothing, and goes on after every error.
#pragma once

#include "runtime/transport/tls.hpp"

#include <memory>
#include <optional>
#include <string>

namespace troupe::net::testing {

struct peer_wish {
  /// Not set: no certificate.
  std::optional<tls_files> shows = {};
  /// Speaks TLS 1.2 at most.
  bool old = false;
};

class tls_peer {
 public:
  /// `here` is its own end of the connection.
  tls_peer(side here, int socket, const peer_wish& wish);
  ~tls_peer();

  /// Goes on with its handshake as far as it can, then says something and listens.
  void step();
  bool greeted() const;
  /// Everything that the other end said after the handshake.
  const std::string& heard() const { return heard_; }

 private:
  struct session;
  std::unique_ptr<session> session_;
  bool said_ = false;
  std::string heard_;
};

} // namespace troupe::net::testing
