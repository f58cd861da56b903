// The HTTP client: blocking requests by http and https, with libcurl.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <string_view>

namespace troupe::http {

/// The request got no complete answer. `what()` is printable. `sent()` says whether the server may have executed it.
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
  std::chrono::microseconds took{};
};

struct client_options {
  /// Limits each request as a whole, including connecting, but not the lookup of a name. At least 1 ms.
  std::chrono::milliseconds timeout{10'000};
  /// Limits connecting. Zero: only `timeout` limits it.
  std::chrono::milliseconds connect_timeout{0};
  /// An answer with a larger body is an error.
  std::uint64_t max_answer = std::numeric_limits<std::uint64_t>::max();
  /// A PEM file with the CA certificates that servers are verified with. It is read again for each connection. If it is
  /// set, requests by plain http fail. Empty: the certificates of the system.
  std::filesystem::path authority = {};
};

struct request_options {
  /// Sent in the header Authorization: Bearer. It must be valid in a header.
  std::string token = {};
  /// Instead of the client's.
  std::optional<std::chrono::milliseconds> timeout = {};
  /// A requested stop ends the request with a `client_error`.
  std::stop_token stop = {};
  /// If set, it is called with the body of an answer 200 as it arrives; `result::body` stays empty then, and
  /// `max_answer` does not apply. Returning false ends the request, which counts as answered.
  std::function<bool(std::string_view)> receive = {};
  /// If set, it is called once with the status, when that arrives and before the body is complete.
  std::function<void(unsigned)> on_status = {};
};

/// A server, and one keep-alive connection to it. The connection is opened when needed, and again after the server has
/// closed it. Every request is sent at most once. Proxies of the environment are not used, and redirects are answers
/// like any other. Not thread-safe. A broken connection does not raise SIGPIPE.
class client {
 public:
  /// `url`: http or https with host and port. Its path, if any, comes before each target.
  client(const std::string& url, client_options options);
  /// By plain http. `host` is a name or a numeric address.
  client(const std::string& host, std::uint16_t port, std::chrono::milliseconds timeout,
         std::uint64_t max_answer = std::numeric_limits<std::uint64_t>::max());
  ~client();
  client(client&&) noexcept;
  client& operator=(client&&) noexcept;

  /// Returns the server's answer, whatever its status. Throws `client_error` if there is none, and what the functions
  /// in `options` throw. `target` is sent unchanged: see `percent_encode`. The body of a HEAD request is not sent.
  result request(std::string_view method, std::string_view target, std::string_view body = {},
                 const request_options& options = {});

 private:
  struct handles;

  std::string origin_; // http://host:port
  std::string path_;
  client_options options_;
  std::unique_ptr<handles> curl_;
};

} // namespace troupe::http
