// Connects sockets from a source address that the test chooses.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <stdexcept>
#include <string>

namespace troupe::test {

inline sockaddr_in loopback_address(const std::string& address, std::uint16_t port) {
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(port);
  if (::inet_pton(AF_INET, address.c_str(), &where.sin_addr) != 1)
    throw std::runtime_error("not an address: " + address);
  return where;
}

/// Connects a TCP socket from `source` to `target`; returns 0, or -1 with errno. The kernel chooses the source port
/// when it knows the target. If bind chose it, a port that a closed connection to another target still holds could not
/// be used, and 28,000 connections within a minute would use up all ports.
inline int connect_from(int socket, const sockaddr_in& source, const sockaddr_in& target) {
  const int later = 1;
  if (::setsockopt(socket, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &later, sizeof later) != 0) return -1;
  if (::bind(socket, reinterpret_cast<const sockaddr*>(&source), sizeof source) != 0) return -1;
  return ::connect(socket, reinterpret_cast<const sockaddr*>(&target), sizeof target);
}

} // namespace troupe::test
