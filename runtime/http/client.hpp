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

/// A request that got no answer. `sent()` tells what may have become of it.
class client_error : public std::runtime_error {
 public:
  client_error(bool sent, const std::string& text) : std::runtime_error(text), sent_(sent) {}

  /// False: it never left here completely, so that no server can have carried it out. True: the outcome is unknown.
  bool sent() const noexcept { return sent_; }

 private:
  bool sent_;
};

struct result {
  unsigned status = 0;
  std::string content_type;
  std::string body;
};

/// One keep-alive connection, opened when needed and again after the server closed it. A request is never repeated
/// by the client itself. One thread at a time; no signal is raised by a broken connection.
class client {
 public:
  /// `host` is a name or a numeric address. `timeout` bounds every request as a whole, connecting included (but not
  /// the lookup of a name). An answer whose body has more than `max_answer` bytes counts as malformed.
  client(std::string host, std::uint16_t port, std::chrono::milliseconds timeout,
         std::uint64_t max_answer = std::numeric_limits<std::uint64_t>::max());
  ~client();
  client(client&&) noexcept;
  client& operator=(client&&) noexcept;

  /// Returns the server's answer, of whatever status; throws `client_error` if there is none. `target` is sent as it
  /// is: see `percent_encode`.
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
