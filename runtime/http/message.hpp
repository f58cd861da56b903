// What a request handler gets and gives: request, response, responder.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe::http {

struct request {
  /// As sent: "GET", "PUT" ... A HEAD is to be answered like the GET; the server leaves the body away.
  std::string method;
  /// The raw target, undecoded.
  std::string target;
  /// Decoded, see `http::target`.
  std::vector<std::string> segments;
  std::vector<std::pair<std::string, std::string>> query;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;

  /// The first parameter of that name.
  std::optional<std::string_view> parameter(std::string_view name) const;
  /// The first header of that name, upper and lower case being the same.
  std::optional<std::string_view> header(std::string_view name) const;
};

struct response {
  /// 200 to 599.
  unsigned status = 200;
  std::string content_type = "application/json";
  std::string body;
  /// Of a 405: the methods there are, as "GET, HEAD".
  std::string allow = {};
};

/// A response in the project's error form: {"error", "outcome", "retryable", "leader": null, "message"}, for errors
/// that need no leader hint. Bytes of `message` that are not UTF-8 are replaced.
response error_response(unsigned status, std::string_view code, std::string_view message,
                        std::string_view outcome = "rejected", bool retryable = false);

class mailbox;

/// The right to answer one request. Copies share it; the first `send` counts, later ones do nothing. Any thread may
/// call, also after the server is gone. Once the last copy is dropped without an answer, the client gets a 500.
class responder {
 public:
  responder(std::shared_ptr<mailbox> answers, std::uint64_t connection);

  /// Never blocks for the client; a connection that has ended meanwhile is no error.
  void send(response answer) const;

 private:
  struct promise;
  std::shared_ptr<promise> promise_;
};

/// Called on the server's I/O thread, once per request: it must not block. It may answer at once or keep the
/// responder. What it throws becomes a 500.
using handler = std::function<void(request, responder)>;

} // namespace troupe::http
