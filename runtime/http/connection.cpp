#include "runtime/http/connection.hpp"

#include "runtime/http/target.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/status.hpp>

#include <exception>
#include <utility>

namespace troupe::http {

namespace asio = boost::asio;
namespace beast = boost::beast;
using boost::system::error_code;

namespace {

/// How long a client whose request was refused may go on sending before the connection is closed on it.
constexpr std::chrono::milliseconds drain_patience{1'000};

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

/// A request as its handler wants it; none if the target is malformed.
std::optional<request> decode(beast::http::request<beast::http::string_body>& raw) {
  auto decoded = parse_target(view(raw.target()));
  if (!decoded) return std::nullopt;
  request out;
  out.method = view(raw.method_string());
  out.target = view(raw.target());
  out.segments = std::move(decoded->segments);
  out.query = std::move(decoded->query);
  for (const auto& field : raw) out.headers.emplace_back(view(field.name_string()), view(field.value()));
  out.body = std::move(raw.body());
  return out;
}

void append_head(std::string& out, const response& answer, bool keep_alive, bool http_1_0) {
  const bool bodiless = answer.status == 204 || answer.status == 304;
  const auto reason = beast::http::obsolete_reason(beast::http::int_to_status(answer.status));
  out.append("HTTP/1.1 ").append(std::to_string(answer.status)).append(" ").append(view(reason)).append("\r\n");
  if (!bodiless) {
    if (!answer.allow.empty()) out.append("Allow: ").append(answer.allow).append("\r\n");
    out.append("Content-Type: ").append(answer.content_type);
    const auto length = answer.pieces ? answer.pieces->length : answer.body.size();
    out.append("\r\nContent-Length: ").append(std::to_string(length)).append("\r\n");
  }
  for (const auto& [name, value] : answer.headers) out.append(name).append(": ").append(value).append("\r\n");
  if (!keep_alive)
    out.append("Connection: close\r\n");
  else if (http_1_0)
    out.append("Connection: keep-alive\r\n");
  out.append("\r\n");
}

} // namespace

connection::connection(std::uint64_t id, socket peer, surroundings& server)
    : id_(id), socket_(std::move(peer)), server_(server) {}

void connection::start() {
  error_code failed;
  socket_.set_option(asio::ip::tcp::no_delay(true), failed);
  if (!failed) socket_.non_blocking(true, failed);
  if (failed) return close();
  enter(state::idle, server_.settings.read_timeout);
  wait_readable();
}

void connection::enter(state next, std::chrono::milliseconds patience) {
  state_ = next;
  deadline_ = std::chrono::steady_clock::now() + patience;
}

void connection::wait_readable() {
  // A refusal for slowness begins to drain while the wait for the request is still pending.
  if (std::exchange(waiting_, true)) return;
  socket_.async_wait(socket::wait_read, [self = shared_from_this()](error_code failed) {
    self->waiting_ = false;
    if (!failed) self->on_readable();
  });
}

void connection::on_readable() {
  // A wait that was complete when the connection went on, or was closed, still arrives here.
  if (state_ != state::idle && state_ != state::reading && state_ != state::draining) return;
  error_code failed;
  const auto size = socket_.read_some(asio::buffer(server_.scratch), failed);
  if (failed == asio::error::would_block) return wait_readable();
  if (failed) return close();
  if (state_ == state::draining) return wait_readable();
  const std::string_view bytes(server_.scratch.data(), size);
  if (pending_.empty()) {
    const auto used = feed(bytes);
    pending_.assign(bytes.substr(used));
    if (state_ == state::idle || state_ == state::reading) wait_readable();
  } else {
    pending_.append(bytes);
    proceed();
  }
}

void connection::proceed() {
  pending_.erase(0, feed(pending_));
  if (state_ == state::idle || state_ == state::reading) wait_readable();
}

std::size_t connection::feed(std::string_view bytes) {
  std::size_t used = 0;
  if (!parser_) {
    // Empty lines before a request are to be ignored (RFC 9112, 2.2).
    while (bytes.substr(used).starts_with("\r\n")) used += 2;
    if (used == bytes.size() || bytes.substr(used) == "\r") return used;
    parser_.emplace();
    parser_->eager(true);
    parser_->header_limit(static_cast<std::uint32_t>(server_.settings.max_header));
    parser_->body_limit(server_.settings.max_body);
    header_checked_ = false;
    // The first request had its time from the connect on.
    if (state_ == state::idle) enter(state::reading, server_.settings.read_timeout);
  }
  while (used < bytes.size() && !parser_->is_done()) {
    error_code failed;
    const auto rest = bytes.substr(used);
    const auto taken = parser_->put(asio::buffer(rest.data(), rest.size()), failed);
    used += taken;
    if (failed && failed != beast::http::error::need_more) {
      reject(failed);
      return bytes.size();
    }
    if (parser_->is_header_done() && !std::exchange(header_checked_, true) && !check_header()) return bytes.size();
    if (failed || taken == 0) break;
  }
  if (parser_->is_done()) {
    dispatch();
  } else if (bytes.size() - used > server_.settings.max_header) {
    // Only the framing of a chunk or trailers can wait for so much more.
    reject(beast::http::error::header_limit);
    return bytes.size();
  }
  return used;
}

bool connection::check_header() {
  const auto& head = parser_->get();
  const auto coding = head[beast::http::field::transfer_encoding];
  if (!coding.empty() && !beast::iequals(coding, "chunked")) {
    // Its length cannot be known, so that what follows could be taken for the next request.
    reject(501, "not_implemented", "the only transfer encoding served is chunked");
    return false;
  }
  if (head.version() >= 11 && head.count(beast::http::field::host) != 1) {
    reject(400, "bad_request", "exactly one Host header is needed");
    return false;
  }
  if (head.version() >= 11 && !parser_->is_done() && beast::iequals(head[beast::http::field::expect], "100-continue")) {
    constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
    error_code failed;
    // Nothing else is on its way out, so that a socket which does not take these few bytes at once is broken.
    if (socket_.write_some(asio::buffer(go_on.data(), go_on.size()), failed) != go_on.size()) {
      close();
      return false;
    }
  }
  return true;
}

void connection::dispatch() {
  auto raw = parser_->release();
  parser_.reset();
  keep_alive_ = raw.keep_alive();
  http_1_0_ = raw.version() < 11;
  head_only_ = raw.method() == beast::http::verb::head;
  state_ = state::handling;
  const responder answer(server_.answers, id_);
  auto decoded = decode(raw);
  if (!decoded) return answer.send(error_response(400, "bad_request", "the request target is malformed"));
  try {
    server_.serve(std::move(*decoded), answer);
  } catch (const std::exception& error) {
    answer.send(error_response(500, "internal", error.what(), "unknown"));
  }
}

void connection::reject(error_code error) {
  if (error == beast::http::error::header_limit) return reject(431, "header_too_large", "request header too large");
  if (error == beast::http::error::body_limit) return reject(413, "body_too_large", "request body too large");
  reject(400, "bad_request", "malformed request: " + error.message());
}

void connection::reject(unsigned status, std::string_view code, std::string_view message) {
  // Where the next request would begin is not known: this answer is the last one.
  parser_.reset();
  keep_alive_ = false;
  drain_ = true;
  head_only_ = false;
  state_ = state::handling;
  take(error_response(status, code, message));
}

void connection::take(response answer) {
  if (state_ != state::handling) return;
  if (server_.stopping) keep_alive_ = false;
  out_.clear();
  append_head(out_, answer, keep_alive_, http_1_0_);
  rest_.reset();
  if (!head_only_ && answer.status != 204 && answer.status != 304) {
    if (answer.pieces && answer.pieces->length > 0)
      rest_ = std::move(answer.pieces);
    else if (!answer.pieces)
      out_.append(answer.body);
  }
  flush();
}

void connection::fetch() {
  state_ = state::fetching;
  const piece_receiver receiver(server_.answers, id_);
  try {
    rest_->next(receiver);
  } catch (const std::exception&) {
    receiver.fail();
  }
}

void connection::take(piece next) {
  if (state_ != state::fetching) return;
  if (next.bytes.empty() || next.bytes.size() > rest_->length) return close();
  rest_->length -= next.bytes.size();
  if (rest_->length == 0) rest_.reset();
  out_ = std::move(next.bytes);
  flush();
}

void connection::flush() {
  enter(state::writing, server_.settings.write_timeout);
  error_code failed;
  const auto sent = socket_.write_some(asio::buffer(out_), failed);
  if (failed && failed != asio::error::would_block) return close();
  if (sent == out_.size()) return on_written();
  asio::async_write(socket_, asio::buffer(out_) + sent, [self = shared_from_this()](error_code error, std::size_t) {
    if (self->state_ != state::writing) return;
    if (error) return self->close();
    self->on_written();
  });
}

void connection::on_written() {
  if (rest_) return fetch();
  // A rare large answer does not stay in memory for as long as the connection lives.
  if (out_.capacity() > server_.scratch.size()) out_ = {};
  if (keep_alive_ && !server_.stopping) {
    enter(state::idle, server_.settings.idle_timeout);
    return proceed();
  }
  if (!drain_ && pending_.empty()) return close();
  error_code failed;
  socket_.shutdown(socket::shutdown_send, failed);
  enter(state::draining, drain_patience);
  wait_readable();
}

void connection::expire(time_point now) {
  const bool has_deadline = state_ != state::handling && state_ != state::fetching && state_ != state::closed;
  if (!has_deadline || now < deadline_) return;
  if (state_ == state::reading) {
    reject(408, "request_timeout", "the request did not arrive in time");
  } else {
    close();
  }
}

void connection::finish() {
  if (state_ == state::idle) close();
}

void connection::close() {
  if (std::exchange(state_, state::closed) == state::closed) return;
  error_code ignored;
  socket_.close(ignored);
  server_.ended(id_);
}

} // namespace troupe::http
