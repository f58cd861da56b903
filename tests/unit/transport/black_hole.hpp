// An address on the loopback device that drops everything.
#pragma once

#include "tests/unit/transport/loopback.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace troupe::net::testing {

/// Never answers a connection attempt: its queue is full, so that the kernel drops even the SYN packets.
struct black_hole {
  black_hole(const std::string& address, std::uint16_t port) {
    listening = socket_guard{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    const auto where = loopback_address(address, port);
    REQUIRE(::bind(listening.get(), reinterpret_cast<const sockaddr*>(&where), sizeof where) == 0);
    REQUIRE(::listen(listening.get(), 0) == 0);
    do {
      REQUIRE(fillers.size() < 20);
      fillers.push_back(begin_connecting("127.0.0.1", address, port));
    } while (wait_writable(fillers.back().get(), std::chrono::steady_clock::now() + std::chrono::milliseconds{100}));
  }
  socket_guard listening;
  std::vector<socket_guard> fillers;
};

} // namespace troupe::net::testing
