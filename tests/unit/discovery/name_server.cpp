#include "tests/unit/discovery/name_server.hpp"

#include <arpa/inet.h>
#include <catch2/catch.hpp>
#include <cctype>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace troupe::test {
namespace {

constexpr std::size_t header_size = 12;

std::string big_endian(unsigned value) { return {static_cast<char>(value >> 8), static_cast<char>(value)}; }

std::string labels(const std::string& name) {
  std::string out;
  std::size_t at = 0;
  while (at < name.size()) {
    const auto dot = std::min(name.find('.', at), name.size());
    out += static_cast<char>(dot - at) + name.substr(at, dot - at);
    at = dot + 1;
  }
  return out + '\0';
}

/// The name in the query; sets `size` to its length on the wire.
std::string asked_name(std::string_view query, std::size_t& size) {
  std::string name;
  std::size_t at = header_size;
  while (at < query.size() && query[at] != '\0') {
    const auto length = static_cast<unsigned char>(query[at]);
    if (!name.empty()) name += '.';
    for (const char c : query.substr(at + 1, length)) name += static_cast<char>(std::tolower(c));
    at += length + 1U;
  }
  size = at + 1 - header_size;
  return name;
}

} // namespace

std::string dns_address(const std::string& text) {
  unsigned char bytes[16];
  const bool v6 = text.find(':') != std::string::npos;
  REQUIRE(::inet_pton(v6 ? AF_INET6 : AF_INET, text.c_str(), bytes) == 1);
  return {reinterpret_cast<char*>(bytes), v6 ? 16U : 4U};
}

std::string dns_service(std::uint16_t port, const std::string& target) {
  return big_endian(10) + big_endian(20) + big_endian(port) + labels(target);
}

std::string dns_message(std::string_view query, const dns_reply& reply, bool truncated) {
  std::size_t name_size = 0;
  asked_name(query, name_size);
  const auto count = truncated ? 0U : static_cast<unsigned>(reply.records.size());
  std::string out{query.substr(0, 2)};
  out += big_endian(0x8180U | reply.rcode | (truncated ? 0x0200U : 0U));
  out += big_endian(1) + big_endian(count) + big_endian(0) + big_endian(0);
  out += query.substr(header_size, name_size + 4);
  for (unsigned i = 0; i < count; ++i) {
    const auto& record = reply.records[i];
    out += big_endian(0xc000U | header_size) + big_endian(static_cast<unsigned>(record.type)) + big_endian(1);
    out += big_endian(0) + big_endian(60) + big_endian(static_cast<unsigned>(record.data.size())) + record.data;
  }
  if (reply.mangle) reply.mangle(out);
  return out;
}

name_server::name_server() {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* any = reinterpret_cast<sockaddr*>(&address);
  socklen_t size = sizeof address;
  // A port that is free for UDP is nearly always free for TCP; if not, try another one.
  for (int tries = 0; tries < 20; ++tries) {
    address.sin_port = 0;
    udp_ = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    tcp_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(::bind(udp_, any, size) == 0);
    REQUIRE(::getsockname(udp_, any, &size) == 0);
    if (::bind(tcp_, any, size) == 0) break;
    ::close(udp_);
    ::close(tcp_);
  }
  port_ = ntohs(address.sin_port);
  REQUIRE(::listen(tcp_, 8) == 0);
  REQUIRE(::pipe2(wake_, O_CLOEXEC) == 0);
  thread_ = std::thread{[this] { serve(); }};
}

name_server::~name_server() {
  ::close(wake_[1]);
  thread_.join();
  for (const int fd : {udp_, tcp_, wake_[0]}) ::close(fd);
}

void name_server::say(const std::string& name, dns_type type, dns_reply reply) {
  const std::lock_guard lock{mutex_};
  replies_[{name, type}] = std::move(reply);
}

int name_server::asked(const std::string& name, dns_type type) {
  const std::lock_guard lock{mutex_};
  return asked_[{name, type}];
}

void name_server::serve() {
  while (true) {
    pollfd waiting[] = {{wake_[0], POLLIN, 0}, {udp_, POLLIN, 0}, {tcp_, POLLIN, 0}};
    ::poll(waiting, 3, -1);
    if (waiting[0].revents != 0) return;
    if (waiting[1].revents != 0) serve_packet();
    if (waiting[2].revents != 0) serve_stream();
  }
}

void name_server::serve_packet() {
  char buffer[2048];
  sockaddr_in from{};
  socklen_t size = sizeof from;
  auto* any = reinterpret_cast<sockaddr*>(&from);
  const auto got = ::recvfrom(udp_, buffer, sizeof buffer, 0, any, &size);
  if (got < static_cast<ssize_t>(header_size)) return;
  const auto reply = answer({buffer, static_cast<std::size_t>(got)}, false);
  if (!reply.empty()) ::sendto(udp_, reply.data(), reply.size(), 0, any, size);
}

void name_server::serve_stream() {
  const int fd = ::accept4(tcp_, nullptr, nullptr, SOCK_CLOEXEC);
  if (fd < 0) return;
  ++streams_;
  const timeval patience{5, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  char buffer[2048];
  const auto got = ::recv(fd, buffer, sizeof buffer, 0);
  if (got > static_cast<ssize_t>(header_size + 2)) {
    auto reply = answer({buffer + 2, static_cast<std::size_t>(got) - 2}, true);
    reply.insert(0, big_endian(static_cast<unsigned>(reply.size())));
    for (std::size_t sent = 0; sent < reply.size();) {
      const auto n = ::send(fd, reply.data() + sent, reply.size() - sent, MSG_NOSIGNAL);
      if (n <= 0) break;
      sent += static_cast<std::size_t>(n);
    }
  }
  ::close(fd);
}

std::string name_server::answer(std::string_view query, bool stream) {
  std::size_t name_size = 0;
  const auto name = asked_name(query, name_size);
  const auto at = header_size + name_size;
  if (at + 4 > query.size()) return {};
  const auto type = static_cast<dns_type>(static_cast<unsigned char>(query[at + 1]));
  const std::lock_guard lock{mutex_};
  ++asked_[{name, type}];
  const auto found = replies_.find({name, type});
  dns_reply reply;
  reply.rcode = 3;
  if (found != replies_.end()) reply = found->second;
  if (reply.silent) return {};
  return dns_message(query, reply, reply.truncated && !stream);
}

} // namespace troupe::test
