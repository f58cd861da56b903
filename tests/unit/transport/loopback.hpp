// Loopback sockets for tests that act as a peer which is not a node.
#pragma once

#include "runtime/transport/sockets.hpp"

#include "tests/unit/loopback_source.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>

namespace troupe::net::testing {

using test::loopback_address;

/// A port of 127.0.0.1 at which nothing listens for now.
inline std::uint16_t free_port() {
  const socket_guard fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  auto where = loopback_address("127.0.0.1", 0);
  socklen_t size = sizeof where;
  if (fd.get() < 0 || ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&where), size) != 0 ||
      ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&where), &size) != 0)
    throw std::runtime_error(std::string{"no free port on loopback: "} + std::strerror(errno));
  return ntohs(where.sin_port);
}

/// Starts a non-blocking connection between these addresses.
inline socket_guard begin_connecting(const std::string& from, const std::string& to, std::uint16_t port) {
  socket_guard fd{::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (fd.get() < 0 || (test::connect_from(fd.get(), loopback_address(from, 0), loopback_address(to, port)) != 0 &&
                       errno != EINPROGRESS))
    throw std::runtime_error(std::string{"cannot connect on loopback: "} + std::strerror(errno));
  return fd;
}

/// A non-blocking connection to 127.0.0.1 that waits to be accepted.
inline socket_guard knock(std::uint16_t port, const std::string& from = "127.0.0.1") {
  auto fd = begin_connecting(from, "127.0.0.1", port);
  if (!wait_writable(fd.get(), std::chrono::steady_clock::now() + std::chrono::seconds{10}))
    throw std::runtime_error("connecting on loopback takes more than ten seconds");
  return fd;
}

/// A connection to 127.0.0.1. Throws socket_error if it is not made within the time.
inline socket_guard connect_to(std::uint16_t port, std::chrono::milliseconds time) {
  auto fd = begin_connecting("127.0.0.1", "127.0.0.1", port);
  if (!wait_writable(fd.get(), std::chrono::steady_clock::now() + time)) throw socket_error("connecting timed out");
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0)
    throw socket_error(std::strerror(error));
  return fd;
}

/// Waits at most ten seconds for bytes of the other end. Empty at the end of the stream, for whatever reason.
inline std::string await_bytes(int socket) {
  pollfd one{socket, POLLIN, 0};
  if (::poll(&one, 1, 10'000) != 1) throw std::runtime_error("nothing comes in ten seconds");
  char block[4096];
  const auto got = ::recv(socket, block, sizeof block, 0);
  return got > 0 ? std::string(block, static_cast<std::size_t>(got)) : std::string{};
}

/// True while the other end neither sends nor closes.
inline bool is_quiet(int socket) {
  char byte;
  return ::recv(socket, &byte, 1, MSG_PEEK) < 0 && errno == EAGAIN;
}

inline bool send_all(int socket, std::string_view bytes) {
  return ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
}

} // namespace troupe::net::testing
