// Opens hostile connections of many kinds to the ports of a cluster.
#pragma once

#include "runtime/transport/opening.hpp"
#include "runtime/transport/sockets.hpp"
#include "tests/unit/transport/tls_peer.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace troupe::testing {

/// A TLS identity with which an attacker must be rejected.
struct false_identity {
  std::string name;
  net::testing::peer_wish shows;
};

/// Runs one attack after another, in a seeded order. Not thread-safe.
class attacker {
 public:
  struct targets {
    std::vector<std::uint16_t> raft_ports;
    std::vector<std::uint16_t> http_ports;
    /// The credentials of a compromised member: its greeting is accepted, but not what follows.
    net::credentials stolen = {};
    /// False identities to try at the Raft ports as well; empty without TLS.
    std::vector<false_identity> identities = {};
  };
  attacker(targets at, std::uint64_t seed);

  /// Opens one more connection and returns the kind of the attack. Some connections stay open for a few seconds.
  std::string strike();
  /// Sends random bytes and closes, as fast as possible.
  void flood(std::chrono::milliseconds time);
  std::size_t strikes() const { return strikes_; }

 private:
  net::socket_guard connect(std::uint16_t port);
  std::uint16_t any(const std::vector<std::uint16_t>& ports) { return ports[random_() % ports.size()]; }
  std::string random_bytes(std::size_t most);
  std::string at_raft_port();
  std::string after_greeting(unsigned kind, const std::string& known);
  std::string at_http_port();
  /// Sends a greeting with the stolen credentials (without TLS, those are public), then `frames`.
  void greet_and_send(const std::string& frames);
  /// Connects with a false identity. Throws std::logic_error if the response is more than an alert.
  void show(const false_identity& who);
  void keep(net::socket_guard socket);

  targets at_;
  std::mt19937_64 random_;
  std::size_t strikes_ = 0;
  /// Connections that stay open, oldest first, each with the time at which it is closed.
  std::deque<std::pair<net::steady_time, net::socket_guard>> open_;
};

} // namespace troupe::testing
