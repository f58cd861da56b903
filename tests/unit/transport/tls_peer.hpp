// A TLS peer that behaves as the production code never would: it presents any certificate or none, demands nothing, and
// continues after every error.
#pragma once

#include "runtime/transport/tls.hpp"

#include <memory>
#include <optional>
#include <string>

namespace troupe::net::testing {

struct peer_wish {
  /// Without a value: no certificate.
  std::optional<tls_files> shows = {};
  /// Supports at most TLS 1.2.
  bool old = false;
};

class tls_peer {
 public:
  /// `here` is this peer's end of the connection.
  tls_peer(side here, int socket, const peer_wish& wish);
  ~tls_peer();

  /// Continues its handshake as far as possible, then sends something and reads.
  void step();
  bool greeted() const;
  /// Everything that the other end sent after the handshake.
  const std::string& heard() const { return heard_; }

 private:
  struct session;
  std::unique_ptr<session> session_;
  bool said_ = false;
  std::string heard_;
};

} // namespace troupe::net::testing
