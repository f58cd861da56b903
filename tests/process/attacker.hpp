// Connections that mean harm, of every kind, at the ports of a cluster.
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

/// What an attacker shows where TLS is spoken, and is to be turned away with.
struct false_identity {
  std::string name;
  net::testing::peer_wish shows;
};

/// One attack after the other, in a seeded order. Used by one thread.
class attacker {
 public:
  struct targets {
    std::vector<std::uint16_t> raft_ports;
    std::vector<std::uint16_t> http_ports;
    /// Of a member gone bad: its greeting is accepted, what follows is not.
    net::credentials stolen = {};
    /// Tried at the Raft ports as well; empty where TLS is off.
    std::vector<false_identity> identities = {};
  };
  attacker(targets at, std::uint64_t seed);

  /// Opens one more connection; says what kind of attack it was. Those that stay open do for a few seconds.
  std::string strike();
  /// Random bytes and gone, as fast as it goes.
  void flood(std::chrono::milliseconds time);
  std::size_t strikes() const { return strikes_; }

 private:
  net::socket_guard connect(std::uint16_t port);
  std::uint16_t any(const std::vector<std::uint16_t>& ports) { return ports[random_() % ports.size()]; }
  std::string random_bytes(std::size_t most);
  std::string at_raft_port();
  std::string at_http_port();
  /// Greets with what was stolen (without TLS, that is what everybody knows), and goes on with `frames`.
  void greet_and_send(const std::string& frames);
  /// Throws std::logic_error when it is answered with more than an alert.
  void show(const false_identity& who);
  void keep(net::socket_guard socket);

  targets at_;
  std::mt19937_64 random_;
  std::size_t strikes_ = 0;
  /// Half-open ones, oldest first, each with the time of its end.
  std::deque<std::pair<net::steady_time, net::socket_guard>> open_;
};

} // namespace troupe::testing
