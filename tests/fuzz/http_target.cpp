// Fuzzes the HTTP server over a connection. Whatever is sent and however it is split, the server must answer with whole
// responses and then close.
#include "tests/fuzz/target.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <optional>
#include <troupe/http/server.hpp>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

/// Far above what an idle machine needs. A server that takes longer hangs.
constexpr int patience_ms = 10'000;

void serve(const http::request& asked, const http::responder& answer) {
  if (asked.target == "/dropped") return;
  http::response response{200, "text/plain", std::to_string(asked.body.size())};
  if (asked.target == "/thrown") throw std::runtime_error("thrown by the handler");
  if (asked.target == "/pieces")
    response.pieces = http::body_in_pieces{10, [](const http::piece_receiver& to) { to.send("piece"); }};
  answer.send(std::move(response));
}

std::uint16_t port() {
  static http::server& one = *[] {
    http::options options;
    options.max_header = 4096;
    options.admit = [](const std::string&, const http::target&) { return http::admission{8192, false}; };
    options.read_timeout = options.write_timeout = options.idle_timeout = 1s;
    return new http::server{options, serve}; // never destroyed: its thread lives as long as the process
  }();
  return one.port();
}

/// libFuzzer's alarm interrupts calls that wait.
template <class Call> auto uninterrupted(Call call) {
  for (;;)
    if (const auto result = call(); result >= 0 || errno != EINTR) return result;
}

class connection {
 public:
  connection() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port());
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    fuzz::check(connect(to), "no connection is accepted");
  }
  connection(const connection&) = delete;
  ~connection() {
    const linger at_once{1, 0}; // otherwise thousands of connections would use up the ports
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    ::close(fd_);
  }

  /// False once the server has closed.
  bool send(std::string_view bytes) {
    const auto sent = uninterrupted([&] { return ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL); });
    return sent == static_cast<ssize_t>(bytes.size());
  }
  std::string all_answers() {
    ::shutdown(fd_, SHUT_WR);
    std::string got;
    char block[16384];
    while (true) {
      fuzz::check(wait_for(POLLIN), "the server neither answers nor closes");
      const auto size = uninterrupted([&] { return ::recv(fd_, block, sizeof block, 0); });
      if (size <= 0) return got;
      got.append(block, static_cast<std::size_t>(size));
    }
  }

 private:
  bool connect(const sockaddr_in& to) {
    if (::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0) return true;
    if (errno != EINTR || !wait_for(POLLOUT)) return false; // after an interruption it goes on by itself
    int problem = 0;
    socklen_t size = sizeof problem;
    return ::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &problem, &size) == 0 && problem == 0;
  }
  bool wait_for(short what) {
    pollfd waits{fd_, what, 0};
    return uninterrupted([&] { return ::poll(&waits, 1, patience_ms); }) > 0;
  }

  int fd_;
};

/// The value of a response's header, whose name is in lower case.
std::optional<std::string> header(std::string_view head, std::string_view name) {
  std::string lower{head};
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; });
  const auto at = lower.find("\r\n" + std::string{name} + ": ");
  if (at == std::string::npos) return {};
  const auto begin = at + name.size() + 4;
  return lower.substr(begin, lower.find("\r\n", begin) - begin);
}

/// Checks responses as a client does: status line, headers, a body of the announced length. The last one may be cut.
void check_answers(std::string_view got, bool may_lack_bodies) {
  while (!got.empty()) {
    fuzz::check(got.substr(0, 9) == std::string_view{"HTTP/1.1 "}.substr(0, got.size()),
                "the bytes that follow are not a response");
    const auto head_size = got.find("\r\n\r\n");
    if (head_size == std::string_view::npos) return;
    const auto head = got.substr(0, head_size + 2);
    unsigned status = 0;
    std::from_chars(head.data() + 9, head.data() + std::min<std::size_t>(head.size(), 12), status);
    fuzz::check(status >= 100 && status < 600, "a response without a status");
    fuzz::check(head.find('\0') == std::string_view::npos, "a NUL in the head of a response");
    got.remove_prefix(head_size + 4);
    if (status < 200) continue;
    const auto length = header(head, "content-length");
    fuzz::check(length.has_value(), "a response without the length of its body");
    std::size_t size = 0;
    std::from_chars(length->data(), length->data() + length->size(), size);
    if (may_lack_bodies && got.starts_with("HTTP/1.1 ")) continue;
    got.remove_prefix(std::min(size, got.size()));
  }
}

} // namespace

/// Up to three pieces. Each of the first two is preceded by its size divided by four.
void troupe::fuzz::try_input(std::string_view bytes) {
  connection to;
  const auto sent = bytes;
  for (int piece = 0; piece < 3 && !bytes.empty(); ++piece) {
    const auto size = piece < 2 ? std::size_t{4} * static_cast<unsigned char>(bytes.front()) : bytes.size();
    bytes.remove_prefix(1);
    const auto part = bytes.substr(0, size);
    if (!part.empty() && !to.send(part)) break;
    bytes.remove_prefix(part.size());
  }
  check_answers(to.all_answers(), sent.find("HEAD") != std::string_view::npos);
}

std::vector<std::string> troupe::fuzz::seeds() {
  const auto whole = [](const std::string& request) { return std::string(2, '\0') + '\0' + request; };
  const std::string host = "Host: localhost\r\n";
  const std::string get = "GET /a HTTP/1.1\r\n" + host + "\r\n";
  const std::string put = "PUT /a HTTP/1.1\r\n" + host + "Content-Length: 5\r\n\r\nbytes";
  const std::string chunked =
      "PUT /a HTTP/1.1\r\n" + host +
      "Transfer-Encoding: chunked\r\n\r\n5;name=value\r\nbytes\r\n3\r\nand\r\n0\r\nTrailer: x\r\n\r\n";
  return {whole(get),
          whole(get + put + get),
          whole(put),
          whole(chunked + get),
          std::string(1, '\5') + get.substr(0, 20) + '\1' + get.substr(20, 4) + '\0' + get.substr(24),
          std::string(1, '\x10') + chunked.substr(0, 64) + '\3' + chunked.substr(64, 12) + '\0' + chunked.substr(76),
          whole("HEAD /a HTTP/1.1\r\n" + host + "\r\n" + get),
          whole("GET /pieces HTTP/1.1\r\n" + host + "\r\n" + get),
          whole("GET /dropped HTTP/1.1\r\n" + host + "\r\n"),
          whole("GET /thrown HTTP/1.1\r\n" + host + "\r\n"),
          whole("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"),
          whole("PUT /a HTTP/1.1\r\n" + host + "Expect: 100-continue\r\nContent-Length: 5\r\n\r\nbytes"),
          whole("PUT /a HTTP/1.1\r\n" + host + "Content-Length: 99999999999999999999\r\n\r\n"),
          whole("PUT /a HTTP/1.1\r\n" + host + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
          whole("GET http://localhost/a%2Fb?c=d HTTP/1.1\r\n" + host + "Connection: close\r\n\r\n"),
          whole("GET /a HTTP/1.1\r\n" + host + "X: " + std::string(4200, 'x') + "\r\n\r\n")};
}

std::vector<std::string> troupe::fuzz::words() {
  return {"GET ",
          "PUT ",
          "HEAD ",
          "POST ",
          " HTTP/1.1\r\n",
          " HTTP/1.0\r\n",
          "\r\n\r\n",
          "\r\n",
          "Content-Length: ",
          "Transfer-Encoding: chunked\r\n",
          "Expect: 100-continue\r\n",
          "Connection: close\r\n",
          "Connection: keep-alive\r\n",
          "Upgrade: h2c\r\n",
          "Host: localhost\r\n",
          "0\r\n\r\n",
          "5\r\nbytes\r\n",
          "/pieces",
          "/dropped",
          "/thrown",
          "\n",
          "\r",
          " \t",
          ";",
          "ffffffffffffffff\r\n",
          "OPTIONS * HTTP/1.1\r\n"};
}
