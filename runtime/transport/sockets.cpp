#include "runtime/transport/sockets.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <memory>
#include <string_view>
#include <troupe/address.hpp>

namespace troupe::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// How long sent bytes may stay unacknowledged before the kernel closes the connection.
constexpr unsigned unacknowledged_ms = 5000;
constexpr int backlog = 256;

using addresses = std::unique_ptr<addrinfo, void (*)(addrinfo*)>;

addresses resolve(const std::string& host, std::uint16_t port, int flags) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const auto* name = host.empty() ? nullptr : host.c_str();
  if (const int e = ::getaddrinfo(name, std::to_string(port).c_str(), &hints, &found); e != 0)
    throw socket_error("cannot resolve " + (host.empty() ? "*" : host) + ": " + ::gai_strerror(e));
  return {found, ::freeaddrinfo};
}

int milliseconds_until(steady_time when) {
  const auto left = std::chrono::ceil<milliseconds>(when - steady_clock::now()).count();
  return static_cast<int>(std::clamp<long>(left, 0, 60'000));
}

bool wait_for(int fd, short what, steady_time until) {
  while (true) {
    const int left = milliseconds_until(until);
    pollfd p{fd, what, 0};
    const int ready = ::poll(&p, 1, left);
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
    if (left == 0) return false;
  }
}

constexpr std::string_view mapped_prefix = "::ffff:";

const sockaddr& plain(const sockaddr_storage& address) { return reinterpret_cast<const sockaddr&>(address); }

} // namespace

socket_guard::~socket_guard() {
  if (fd_ >= 0) ::close(fd_);
}

resolved_host::resolved_host(const std::string& host, std::uint16_t port) : found_(resolve(host, port, 0)) {}

bool resolved_host::is_literal(const std::string& host) {
  in_addr v4{};
  in6_addr v6{};
  // A link-local address includes its interface.
  return ::inet_pton(AF_INET, host.c_str(), &v4) == 1 ||
         ::inet_pton(AF_INET6, host.substr(0, host.find('%')).c_str(), &v6) == 1;
}

socket_guard listen_at(const std::string& address, std::uint16_t port, bool on_loopback_only) {
  const auto shown = address.empty() ? "*" : address.find(':') == std::string::npos ? address : '[' + address + ']';
  const auto where = "cannot listen at " + shown + ":" + std::to_string(port) + ": ";
  const auto found = resolve(address, port, AI_PASSIVE);
  // The IPv6 address for all interfaces accepts IPv4 as well, so prefer it. Otherwise use the first address.
  const auto* a = found.get();
  for (const auto* each = a; each && address.empty(); each = each->ai_next)
    if (each->ai_family == AF_INET6) a = each;
  socket_guard fd{::socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->ai_protocol)};
  if (fd.get() < 0 && a != found.get()) { // the machine has no IPv6
    a = found.get();
    fd = socket_guard{::socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->ai_protocol)};
  }
  if (fd.get() < 0) throw socket_error(where + std::strerror(errno));
  if (on_loopback_only && !is_loopback(*a->ai_addr))
    throw socket_error(where + text_of(*a->ai_addr) + " is not a loopback address");
  const int on = 1;
  const int off = 0;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (a->ai_family == AF_INET6) ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  if (::bind(fd.get(), a->ai_addr, a->ai_addrlen) != 0 || ::listen(fd.get(), backlog) != 0)
    throw socket_error(where + std::strerror(errno));
  return fd;
}

std::uint16_t port_of(int listening) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getsockname(listening, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  const auto raw = address.ss_family == AF_INET6 ? reinterpret_cast<const sockaddr_in6&>(address).sin6_port
                                                 : reinterpret_cast<const sockaddr_in&>(address).sin_port;
  return ntohs(raw);
}

bool wait_readable(int fd, steady_time until) { return wait_for(fd, POLLIN, until); }
bool wait_writable(int fd, steady_time until) { return wait_for(fd, POLLOUT, until); }

void tune(int fd) {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  ::setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unacknowledged_ms, sizeof unacknowledged_ms);
}

std::string peer_of(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return "?";
  auto text = text_of(plain(address));
  if (text.starts_with(mapped_prefix) && text.find('.') != std::string::npos) text.erase(0, mapped_prefix.size());
  return text;
}

std::string network_of(const std::string& address) {
  in6_addr v6{};
  // A link-local address includes its interface.
  if (::inet_pton(AF_INET6, address.substr(0, address.find('%')).c_str(), &v6) != 1) return address;
  constexpr std::size_t prefix = 8;
  std::fill(std::begin(v6.s6_addr) + prefix, std::end(v6.s6_addr), std::uint8_t{0});
  char text[INET6_ADDRSTRLEN] = {};
  ::inet_ntop(AF_INET6, &v6, text, sizeof text);
  return std::string{text} + "/64";
}

bool is_loopback(const sockaddr& address) {
  if (address.sa_family == AF_INET)
    return (ntohl(reinterpret_cast<const sockaddr_in&>(address).sin_addr.s_addr) >> 24) == 127;
  return address.sa_family == AF_INET6 &&
         IN6_IS_ADDR_LOOPBACK(&reinterpret_cast<const sockaddr_in6&>(address).sin6_addr);
}

std::string text_of(const sockaddr& address) {
  char text[NI_MAXHOST] = {};
  const socklen_t size = address.sa_family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
  return ::getnameinfo(&address, size, text, sizeof text, nullptr, 0, NI_NUMERICHOST) == 0 ? text : "?";
}

} // namespace troupe::net

bool troupe::is_loopback(const std::string& host) {
  if (host == "localhost") return true;
  in_addr v4{};
  if (::inet_pton(AF_INET, host.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  in6_addr v6{};
  return ::inet_pton(AF_INET6, host.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}
