// Both ends of one connection in one thread.
#pragma once

#include "runtime/transport/sockets.hpp"

#include <sys/socket.h>

#include <stdexcept>
#include <string>

namespace troupe::net::testing {

/// Two non-blocking sockets that are connected to each other.
struct connected_pair {
  connected_pair() {
    int both[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, both) != 0)
      throw std::runtime_error("no socket pair");
    dialed = socket_guard{both[0]};
    accepted = socket_guard{both[1]};
  }
  socket_guard dialed;
  socket_guard accepted;
};

/// Reads all bytes that are available at a socket.
inline std::string received(int socket) {
  std::string all;
  char block[4096];
  for (ssize_t got; (got = ::recv(socket, block, sizeof block, 0)) > 0;)
    all.append(block, static_cast<std::size_t>(got));
  return all;
}

} // namespace troupe::net::testing
