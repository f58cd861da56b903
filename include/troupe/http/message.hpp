// The types of a request handler: request, response, responder.
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
  /// As sent: "GET", "PUT" ... Answer a HEAD like a GET; the server omits the body.
  std::string method;
  /// The raw target, undecoded.
  std::string target;
  /// The decoded path; see `http::target`.
  std::vector<std::string> segments;
  std::vector<std::pair<std::string, std::string>> query;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;

  /// The first parameter of that name.
  std::optional<std::string_view> parameter(std::string_view name) const;
  /// The first header of that name, without regard to case.
  std::optional<std::string_view> header(std::string_view name) const;
};

class charge;
class mailbox;
class promise;

/// Receives the next piece of a body. Copies share it, and only the first call of `send` or `fail` has an effect.
/// Thread-safe, also after the server is gone. If the last copy is dropped without a call, the body has failed.
class piece_receiver {
 public:
  piece_receiver(std::shared_ptr<mailbox> answers, std::uint64_t connection);

  /// `piece` must not be empty or larger than the rest of the body; otherwise this counts as `fail`.
  void send(std::string piece) const;
  /// There is no further piece. The connection is cut, which shows the client that the body is incomplete.
  void fail() const;

 private:
  std::shared_ptr<promise> promise_;
};

/// A body that is produced while it is sent. The server holds one piece of it at a time.
struct body_in_pieces {
  /// Length of all pieces together, in bytes.
  std::uint64_t length = 0;
  /// Requests the next piece after the client has received the last one. Called on the server's I/O thread, so it must
  /// not block. An exception counts as `fail`.
  std::function<void(piece_receiver)> next;
};

struct response {
  /// 200 to 599.
  unsigned status = 200;
  std::string content_type = "application/json";
  std::string body;
  /// For a 405: the allowed methods, for example "GET, HEAD".
  std::string allow = {};
  /// Further headers: names and values, sent unchanged.
  std::vector<std::pair<std::string, std::string>> headers = {};
  /// If set, this is sent instead of `body`.
  std::optional<body_in_pieces> pieces = {};
};

inline constexpr std::size_t max_error_text = 1024;

/// A response in the project's error format: {"error", "outcome", "retryable", "leader": null, "message"}, for errors
/// without a leader hint. Bytes of `message` that are not UTF-8 are replaced. `message` is cut after `max_error_text`
/// bytes.
response error_response(unsigned status, std::string_view code, std::string_view message,
                        std::string_view outcome = "rejected", bool retryable = false);

/// Answers one request. Copies share it: the first `send` counts, later ones have no effect. Thread-safe, also after
/// the server is gone. If the last copy is dropped without an answer, the client gets a 500. If the server has no
/// memory for the answer (options::max_buffered), the client gets a 503 instead.
class responder {
 public:
  responder(std::shared_ptr<mailbox> answers, std::uint64_t connection);
  /// `request`: the part of the server's memory budget that the request holds. `safe`: the request does not change
  /// anything.
  responder(std::shared_ptr<mailbox> answers, std::uint64_t connection, charge request, bool safe);

  /// Never waits for the client. It is not an error if the connection has ended in the meantime.
  void send(response answer) const;

 private:
  std::shared_ptr<promise> promise_;
};

/// Called on the server's I/O thread, once per request, so it must not block. It may answer at once or keep the
/// responder. An exception becomes a 500.
using handler = std::function<void(request, responder)>;

} // namespace troupe::http
