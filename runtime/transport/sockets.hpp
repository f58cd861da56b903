// Helpers for sockets: ownership, name resolution, listening, addresses.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

struct addrinfo;
struct sockaddr;

namespace troupe::net {

/// Owns a socket, or nothing. Closes it at its end.
class socket_guard {
 public:
  explicit socket_guard(int fd = -1) : fd_(fd) {}
  socket_guard(socket_guard&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  socket_guard& operator=(socket_guard&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~socket_guard();
  int get() const noexcept { return fd_; }
  int release() noexcept { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

using steady_time = std::chrono::steady_clock::time_point;

/// A failed socket call or name resolution. `what()` is for the log.
class socket_error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The addresses of a name, or a literal address.
class resolved_host {
 public:
  /// Blocks while the name is resolved; does not block for a literal address. Throws socket_error.
  resolved_host(const std::string& host, std::uint16_t port);
  /// Whether `host` is an IP address and not a name.
  static bool is_literal(const std::string& host);
  /// The first address. The others follow by `ai_next`.
  const addrinfo* first() const noexcept { return found_.get(); }

 private:
  std::unique_ptr<addrinfo, void (*)(addrinfo*)> found_;
};

/// Returns a non-blocking socket that listens at `address` (an IP address or a name; empty: all interfaces). Throws
/// socket_error, also if `on_loopback_only` is set and `address` is not a loopback address.
socket_guard listen_at(const std::string& address, std::uint16_t port, bool on_loopback_only = false);
std::uint16_t port_of(int listening);

/// Waits until the socket is ready. Returns false if that takes longer than `until`.
bool wait_readable(int fd, steady_time until);
bool wait_writable(int fd, steady_time until);

/// Sets the socket options of a connection between nodes, at either end.
void tune(int fd);

/// The address of the other end without its port, for logs. "?" if the other end is already gone. An IPv4 address is
/// written as such on an IPv6 socket too.
std::string peer_of(int fd);
/// What counts as one peer for limits: an IPv4 address, or the /64 of an IPv6 address ("2001:db8::/64"), because a host
/// that has one address of a /64 can use all of them.
std::string network_of(const std::string& address);

/// True for an IPv4 or IPv6 address of this machine alone.
bool is_loopback(const sockaddr& address);
/// The address without its port.
std::string text_of(const sockaddr& address);

} // namespace troupe::net
