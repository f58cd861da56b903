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

class charge;
class mailbox;
class promise;

/// The right to give the next piece of a body. Copies share it; what is said first counts. Any thread may call, also
/// after the server is gone. Once the last copy is dropped, the body has failed.
class piece_receiver {
 public:
  piece_receiver(std::shared_ptr<mailbox> answers, std::uint64_t connection);

  /// Not empty, and no more than is missing; anything else counts as `fail`.
  void send(std::string piece) const;
  /// There is no more: the connection is cut, by which the client sees that its body is not whole.
  void fail() const;

 private:
  std::shared_ptr<promise> promise_;
};

/// A body that is made while it is sent, and of which the server holds one piece at a time.
struct body_in_pieces {
  /// Of all pieces together, in bytes.
  std::uint64_t length = 0;
  /// Asks for the next piece, once the client has taken the last one. Called on the server's I/O thread: it must not
  /// block. What it throws counts as `fail`.
  std::function<void(piece_receiver)> next;
};

struct response {
  /// 200 to 599.
  unsigned status = 200;
  std::string content_type = "application/json";
  std::string body;
  /// Of a 405: the methods there are, as "GET, HEAD".
  std::string allow = {};
  /// Further ones, name and value as they are sent.
  std::vector<std::pair<std::string, std::string>> headers = {};
  /// Stands for `body` where it is set.
  std::optional<body_in_pieces> pieces = {};
};

inline constexpr std::size_t max_error_text = 1024;

/// A response in the project's error form: {"error", "outcome", "retryable", "leader": null, "message"}, for errors
/// that need no leader hint. Bytes of `message` that are not UTF-8 are replaced; it is cut after `max_error_text`
/// bytes.
response error_response(unsigned status, std::string_view code, std::string_view message,
                        std::string_view outcome = "rejected", bool retryable = false);

/// The right to answer one request. Copies share it; the first `send` counts, later ones do nothing. Any thread may
/// call, also after the server is gone. Once the last copy is dropped without an answer, the client gets a 500. Where
/// the server has no room for the answer (options::max_buffered), the client gets a 503 instead.
class responder {
 public:
  responder(std::shared_ptr<mailbox> answers, std::uint64_t connection);
  /// `request`: what the request holds of the server's memory. `safe`: it changes nothing.
  responder(std::shared_ptr<mailbox> answers, std::uint64_t connection, charge request, bool safe);

  /// Never blocks for the client; a connection that has ended meanwhile is no error.
  void send(response answer) const;

 private:
  std::shared_ptr<promise> promise_;
};

/// Called on the server's I/O thread, once per request: it must not block. It may answer at once or keep the
/// responder. What it throws becomes a 500.
using handler = std::function<void(request, responder)>;

} // namespace troupe::http
