// A small blocking HTTP/1.1 client for tests and tools.
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

namespace troupe::http {

/// The request got no answer. `sent()` says whether the server may have executed it.
class client_error : public std::runtime_error {
 public:
  client_error(bool sent, const std::string& text) : std::runtime_error(text), sent_(sent) {}

  /// False: the request was not sent completely, so no server can have executed it. True: the outcome is unknown.
  bool sent() const noexcept { return sent_; }

 private:
  bool sent_;
};

struct result {
  unsigned status = 0;
  std::string content_type;
  std::string body;
};

/// One keep-alive connection. It is opened when needed, and again after the server has closed it. The client never
/// repeats a request by itself. Not thread-safe. A broken connection does not raise SIGPIPE.
class client {
 public:
  /// `host` is a name or a numeric address. `timeout` limits each request as a whole, including connecting, but not the
  /// lookup of a name. An answer whose body has more than `max_answer` bytes is an error.
  client(std::string host, std::uint16_t port, std::chrono::milliseconds timeout,
         std::uint64_t max_answer = std::numeric_limits<std::uint64_t>::max());
  ~client();
  client(client&&) noexcept;
  client& operator=(client&&) noexcept;

  /// Returns the server's answer, whatever its status. Throws `client_error` if there is none. `target` is sent
  /// unchanged: see `percent_encode`.
  result request(std::string_view method, std::string_view target, std::string_view body = {});

 private:
  class connection;
  std::string host_;
  std::uint16_t port_;
  std::chrono::milliseconds timeout_;
  std::uint64_t max_answer_;
  std::unique_ptr<connection> open_;
};

} // namespace troupe::http
