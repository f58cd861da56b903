#include "runtime/http/client.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

namespace troupe::http {

namespace beast = boost::beast;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr bool not_sent = false;
constexpr bool sent = true;

std::string cause(int error) { return std::generic_category().message(error); }

/// Waits until the socket is ready. Returns false if the deadline passes.
bool wait_for(int fd, short events, steady_clock::time_point deadline) {
  for (;;) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now()).count();
    pollfd one{fd, events, 0};
    const int ready = ::poll(&one, 1, static_cast<int>(std::clamp<decltype(left)>(left, 0, 1 << 30)));
    if (ready > 0) return true;
    if (ready == 0 || errno != EINTR) return false;
  }
}

struct descriptor {
  explicit descriptor(int number) : fd(number) {}
  descriptor(descriptor&& other) noexcept : fd(std::exchange(other.fd, -1)) {}
  descriptor& operator=(descriptor&&) = delete;
  ~descriptor() {
    if (fd >= 0) ::close(fd);
  }
  int fd;
};

/// Connects to one address. Sets `error` to an errno value, or to 0 on success.
descriptor connect_to(const addrinfo& address, steady_clock::time_point deadline, int& error) {
  descriptor out(::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  error = errno;
  if (out.fd < 0) return out;
  const int on = 1;
  ::setsockopt(out.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  error = 0;
  if (::connect(out.fd, address.ai_addr, address.ai_addrlen) == 0) return out;
  error = errno;
  if (error != EINPROGRESS) return out;
  if (!wait_for(out.fd, POLLOUT, deadline)) {
    error = ETIMEDOUT;
    return out;
  }
  socklen_t size = sizeof error;
  ::getsockopt(out.fd, SOL_SOCKET, SO_ERROR, &error, &size);
  return out;
}

descriptor connect_to(const std::string& host, std::uint16_t port, steady_clock::time_point deadline) {
  const auto where = host + ":" + std::to_string(port);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* list = nullptr;
  if (const int failed = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &list); failed != 0)
    throw client_error(not_sent, "cannot resolve " + where + ": " + ::gai_strerror(failed));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owned(list, &::freeaddrinfo);
  int error = 0;
  for (const addrinfo* one = list; one != nullptr; one = one->ai_next) {
    auto out = connect_to(*one, deadline, error);
    if (error == 0) return out;
  }
  throw client_error(not_sent, "cannot connect to " + where + ": " + cause(error));
}

} // namespace

class client::connection {
 public:
  connection(const std::string& host, std::uint16_t port, steady_clock::time_point deadline)
      : socket_(connect_to(host, port, deadline)) {}

  /// Whether the server has sent something since the last answer: it closed the connection, or its state is unknown.
  bool stale() const { return wait_for(socket_.fd, POLLIN, steady_clock::now()); }

  /// Writes all of `bytes` to the socket. Returns an errno value, or 0 on success.
  int write(std::string_view bytes, steady_clock::time_point deadline) {
    while (!bytes.empty()) {
      const auto size = ::send(socket_.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (size >= 0) {
        bytes.remove_prefix(static_cast<std::size_t>(size));
      } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
        if (!wait_for(socket_.fd, POLLOUT, deadline)) return ETIMEDOUT;
      } else if (errno != EINTR) {
        return errno;
      }
    }
    return 0;
  }

  /// Returns the number of bytes read, 0 at the end of the stream. Throws client_error on an error.
  std::size_t read(std::array<char, 16384>& into, steady_clock::time_point deadline) {
    for (;;) {
      const auto size = ::recv(socket_.fd, into.data(), into.size(), 0);
      if (size >= 0) return static_cast<std::size_t>(size);
      if (errno == EAGAIN || errno == EWOULDBLOCK) {
        if (!wait_for(socket_.fd, POLLIN, deadline)) throw client_error(sent, "no answer in time");
      } else if (errno != EINTR) {
        throw client_error(sent, "no answer: " + cause(errno));
      }
    }
  }

  /// Reads one final answer. Sets `keep` if the connection can be used for another request.
  result receive(bool head, std::uint64_t max_body, steady_clock::time_point deadline, bool& keep) {
    std::array<char, 16384> block;
    std::string pending;
    std::optional<parser> answer;
    begin(answer, head, max_body);
    for (;;) {
      const auto size = read(block, deadline);
      boost::system::error_code failed;
      if (size == 0) {
        // The end of the stream ends a body without a length. Anywhere else it is an error.
        if (answer->is_header_done()) answer->put_eof(failed);
        if (failed || !answer->is_done()) throw client_error(sent, "the server closed the connection");
      }
      pending.append(block.data(), size);
      while (!pending.empty() && !answer->is_done()) {
        const auto used = answer->put(boost::asio::buffer(pending), failed);
        pending.erase(0, used);
        if (failed == beast::http::error::need_more || used == 0) break;
        if (failed) throw client_error(sent, "malformed answer: " + failed.message());
        // Boost 1.74 does not report a length above its limit if bytes of the body follow the head in the same buffer.
        const bool announced = !head && answer->is_header_done() && answer->content_length().value_or(0) > max_body;
        if (announced || answer->get().body().size() > max_body)
          throw client_error(sent, "the answer has more than " + std::to_string(max_body) + " bytes");
        // 100 Continue and other interim answers precede the final one.
        if (answer->is_done() && answer->get().result_int() < 200) begin(answer, head, max_body);
      }
      if (failed && failed != beast::http::error::need_more)
        throw client_error(sent, "malformed answer: " + failed.message());
      if (!answer->is_done()) continue;
      keep = answer->keep_alive() && pending.empty();
      const auto& message = answer->get();
      const auto type = message[beast::http::field::content_type];
      return {message.result_int(), std::string(type.data(), type.size()), message.body()};
    }
  }

 private:
  using parser = beast::http::response_parser<beast::http::string_body>;

  static void begin(std::optional<parser>& answer, bool head, std::uint64_t max_body) {
    answer.emplace();
    answer->eager(true);
    // Always set a limit: without one, Boost 1.74 considers every length too large when a head arrives without its
    // body.
    answer->body_limit(max_body);
    answer->skip(head);
  }

  descriptor socket_;
};

client::client(std::string host, std::uint16_t port, milliseconds timeout, std::uint64_t max_answer)
    : host_(std::move(host)), port_(port), timeout_(timeout), max_answer_(max_answer) {}

client::~client() = default;
client::client(client&&) noexcept = default;
client& client::operator=(client&&) noexcept = default;

result client::request(std::string_view method, std::string_view target, std::string_view body) {
  const auto deadline = steady_clock::now() + timeout_;
  // Take the connection out during the request, so that an error does not leave a connection in an unknown state.
  auto used = std::exchange(open_, nullptr);
  if (used && used->stale()) used.reset();
  if (!used) used = std::make_unique<connection>(host_, port_, deadline);
  const auto bracket = host_.find(':') == std::string::npos ? std::pair{"", ""} : std::pair{"[", "]"};
  std::string bytes;
  bytes.append(method).append(" ").append(target).append(" HTTP/1.1\r\nHost: ").append(bracket.first).append(host_);
  bytes.append(bracket.second).append(":").append(std::to_string(port_)).append("\r\nContent-Length: ");
  bytes.append(std::to_string(body.size())).append("\r\n\r\n").append(body);
  const int failed = used->write(bytes, deadline);
  if (failed == ETIMEDOUT) throw client_error(not_sent, "timed out while sending the request");
  try {
    bool keep = false;
    auto answer = used->receive(method == "HEAD", max_answer_, deadline, keep);
    if (keep && failed == 0) open_ = std::move(used);
    return answer;
  } catch (const client_error&) {
    // A server may refuse a request before it has received all of it. Without such an answer the failed write is the
    // cause.
    if (failed != 0) throw client_error(not_sent, "the request could not be sent: " + cause(failed));
    throw;
  }
}

} // namespace troupe::http
