#include "runtime/http/connection.hpp"

#include "runtime/http/host_rules.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/status.hpp>

#include <algorithm>
#include <exception>
#include <troupe/http/target.hpp>
#include <utility>

namespace troupe::http {

namespace asio = boost::asio;
namespace beast = boost::beast;
using boost::system::error_code;

namespace {

/// How long a client whose request was refused may continue to send before the connection is closed.
constexpr std::chrono::milliseconds drain_patience{1'000};

/// Answers up to this size are sent in one buffer with their head.
constexpr std::size_t small_answer = 16 * 1024;

/// A larger answer is written in steps of this size, so that progress is visible.
constexpr std::size_t most_at_once = 64 * 1024;

/// After this time the kernel's buffers are full.
constexpr std::chrono::milliseconds buffers_fill{100};

/// A probe's head is not counted up to this size, so that probes are answered when memory is short.
constexpr std::size_t usual_head = 4096;

std::size_t heap_of_pairs(const std::vector<std::pair<std::string, std::string>>& all) {
  auto sum = all.capacity() * sizeof(all[0]);
  for (const auto& [name, value] : all) sum += heap_bytes(name) + heap_bytes(value);
  return sum;
}

/// Heap bytes of the request without its body.
std::size_t heap_of_head(const request& asked) {
  auto sum = asked.segments.capacity() * sizeof(std::string);
  for (const auto& segment : asked.segments) sum += heap_bytes(segment);
  return sum + heap_bytes(asked.method) + heap_bytes(asked.target) + heap_of_pairs(asked.query) +
         heap_of_pairs(asked.headers);
}

bool is_safe(std::string_view method) { return method == "GET" || method == "HEAD" || method == "OPTIONS"; }

void append_head(std::string& out, const response& answer, bool keep_alive, bool http_1_0) {
  const bool bodiless = answer.status == 204 || answer.status == 304;
  const auto reason = beast::http::obsolete_reason(beast::http::int_to_status(answer.status));
  out.append("HTTP/1.1 ").append(std::to_string(answer.status)).append(" ");
  out.append(reason.data(), reason.size()).append("\r\n");
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

connection::connection(std::uint64_t id, socket peer, std::string group, bool reserved, server_state& server)
    : id_(id), socket_(std::move(peer)), group_(std::move(group)), reserved_(reserved), server_(server),
      pending_held_(server.answers->budget()) {
  auto& list = server_.waiting[static_cast<std::size_t>(kind_)];
  place_ = list.insert(list.end(), this);
}

connection::~connection() { server_.waiting[static_cast<std::size_t>(kind_)].erase(place_); }

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
  switch (next) {
  case state::idle:
    queue(waiting_for::request);
    break;
  case state::reading:
    queue(waiting_for::bytes);
    break;
  case state::handling:
  case state::fetching:
    queue(waiting_for::answer);
    break;
  case state::writing:
    queue(waiting_for::client);
    break;
  case state::draining:
    queue(waiting_for::end);
    break;
  case state::closed:
    queue(waiting_for::nothing);
    break;
  }
  deadline_ = since_ + patience;
}

void connection::queue(waiting_for what) {
  auto& from = server_.waiting[static_cast<std::size_t>(kind_)];
  auto& to = server_.waiting[static_cast<std::size_t>(what)];
  to.splice(to.end(), from, place_);
  kind_ = what;
  since_ = std::chrono::steady_clock::now();
}

void connection::wait_readable() {
  // A request that was refused for slowness begins to drain while the wait for its bytes is still pending.
  if (std::exchange(waiting_, true)) return;
  socket_.async_wait(socket::wait_read, [self = shared_from_this()](error_code failed) {
    self->waiting_ = false;
    if (!failed) self->on_readable();
  });
}

void connection::on_readable() {
  // A wait that had already completed when the connection continued or was closed still arrives here.
  if (state_ != state::idle && state_ != state::reading && state_ != state::draining) return;
  error_code failed;
  const auto size = socket_.read_some(asio::buffer(server_.scratch), failed);
  if (failed == asio::error::would_block) return wait_readable();
  if (failed) return close();
  if (state_ == state::draining) return wait_readable();
  if (state_ == state::reading) queue(waiting_for::bytes);
  const std::string_view bytes(server_.scratch.data(), size);
  if (pending_.empty()) {
    const auto used = feed(bytes);
    if (state_ == state::closed) return;
    pending_.assign(bytes.substr(used));
  } else {
    pending_.append(bytes);
    pending_.erase(0, feed(pending_));
  }
  proceed();
}

void connection::proceed() {
  if (state_ == state::idle) pending_.erase(0, feed(pending_));
  if (state_ == state::closed) return;
  hold_pending();
  if (state_ == state::idle || state_ == state::reading) wait_readable();
}

void connection::hold_pending() {
  if (pending_.empty()) free_heap(pending_);
  while (!pending_held_.hold_request(heap_bytes(pending_))) {
    if (server_.free_memory_for(*this)) continue;
    if (state_ == state::reading) return reject_for_room();
    // The bytes belong to requests after the one that is being answered. Discard them and end the connection with that
    // answer.
    free_heap(pending_);
    keep_alive_ = false;
    drain_ = true;
  }
}

std::size_t connection::feed(std::string_view bytes) {
  std::size_t used = 0;
  if (!body_) {
    // Ignore empty lines before a request (RFC 9112, 2.2).
    while (bytes.substr(used).starts_with("\r\n")) used += 2;
    if (used > 0) scanned_ = 0;
    if (used == bytes.size() || bytes.substr(used) == "\r") return used;
    // The time of the first request starts at the connect.
    if (state_ == state::idle) enter(state::reading, server_.settings.read_timeout);
    const auto size = take_head(bytes.substr(used));
    if (state_ != state::reading) return bytes.size();
    if (size == 0) return used;
    used += size;
  }
  if (!take_body(bytes, used)) return bytes.size();
  if (body_->done())
    dispatch();
  else if (std::exchange(continue_due_, false) && !send_continue())
    return bytes.size();
  return used;
}

std::size_t connection::take_head(std::string_view bytes) {
  const auto found = find_head_end(bytes, scanned_);
  if (const auto* why = std::get_if<problem>(&found)) return reject(*why), 0;
  const auto size = std::get<std::size_t>(found);
  if (std::max(size, bytes.size() * (size == 0)) > server_.settings.max_header)
    return reject(431, "header_too_large", "request header too large"), 0;
  scanned_ = size == 0 ? bytes.size() : 0;
  if (size == 0) return 0;
  auto read = parse_head(bytes.substr(0, size));
  if (const auto* why = std::get_if<problem>(&read)) return reject(*why), 0;
  return begin(std::move(std::get<head>(read))) ? size : 0;
}

bool connection::begin(head asked) {
  if (const auto why = check_caller(asked, server_.settings.host_names)) return reject(*why), false;
  if (has_too_many_parts(asked.target)) return reject(414, "target_too_long", "the target has too many parts"), false;
  auto decoded = parse_target(asked.target);
  bad_target_ = !decoded;
  if (!decoded) decoded.emplace();
  admission allowed;
  try {
    if (server_.settings.admit) allowed = server_.settings.admit(asked.method, *decoded);
  } catch (const std::exception& error) {
    report(error);
    return reject(500, "internal", error.what()), false;
  }
  if (reserved_ && !allowed.probe && !server_.make_regular(*this))
    return reject(503, "overloaded", "every connection is in use"), false;
  body_.emplace(asked, allowed.max_body, server_.settings.max_header);
  if (body_->failed()) return reject(*body_->failed()), false;
  body_held_ = charge(server_.answers->budget());
  // A reserved connection serves one probe.
  keep_alive_ = asked.keep_alive && !reserved_;
  http_1_0_ = asked.http_1_0;
  head_only_ = asked.method == "HEAD";
  asked_ = {std::move(asked.method),   std::move(asked.target),  std::move(decoded->segments),
            std::move(decoded->query), std::move(asked.headers), {}};
  head_held_ = heap_of_head(asked_);
  if (allowed.probe && body_->done() && head_held_ <= usual_head) head_held_ = 0;
  continue_due_ = asked.expects_continue;
  return true;
}

bool connection::take_body(std::string_view bytes, std::size_t& used) {
  // Reserve first, so that a large body in the pending bytes is counted before it is copied.
  const auto capacity = body_->wanted_capacity(bytes.size() - used);
  while (!body_held_.hold_request(head_held_ + std::max(capacity, body_->held())))
    if (!server_.free_memory_for(*this)) return reject_for_room(), false;
  if (capacity > 0) body_->reserve(capacity);
  used += body_->feed(bytes.substr(used));
  if (!body_->failed()) return true;
  return reject(*body_->failed()), false;
}

bool connection::send_continue() {
  constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
  error_code failed;
  // Nothing else is being sent, so a socket that does not take these few bytes at once is broken.
  if (socket_.write_some(asio::buffer(go_on.data(), go_on.size()), failed) == go_on.size()) return true;
  close();
  return false;
}

void connection::dispatch() {
  asked_.body = body_->take();
  body_.reset();
  enter(state::handling, {});
  const responder answer(server_.answers, id_, std::exchange(body_held_, {}), is_safe(asked_.method));
  if (bad_target_) {
    static_cast<void>(std::exchange(asked_, {})); // free its memory before its charge
    return answer.send(error_response(400, "bad_request", "the request target is malformed"));
  }
  try {
    server_.serve(std::exchange(asked_, {}), answer);
  } catch (const std::exception& error) {
    report(error);
    answer.send(error_response(500, "internal", error.what(), "unknown"));
  }
}

void connection::report(const std::exception& error) const {
  if (server_.settings.on_error) server_.settings.on_error(error.what());
}

void connection::reject_for_room() {
  reject(503, "overloaded", "not enough buffer memory for the request: too many unfinished requests");
}

void connection::give_up() { reject_for_room(); }

void connection::reject(unsigned status, std::string_view code, std::string_view message) {
  // The start of the next request is unknown, so this answer is the last one.
  forget_request();
  keep_alive_ = false;
  drain_ = true;
  head_only_ = false;
  enter(state::handling, {});
  take(error_response(status, code, message, "rejected", status == 503), {});
}

void connection::take(response content, charge held) {
  if (state_ != state::handling) return;
  if (server_.stopping) keep_alive_ = false;
  out_held_ = std::move(held);
  out_head_.clear();
  out_.clear();
  append_head(out_head_, content, keep_alive_, http_1_0_);
  rest_.reset();
  if (!head_only_ && content.status != 204 && content.status != 304) {
    if (content.pieces && content.pieces->length > 0)
      rest_ = std::move(content.pieces);
    else if (!content.pieces && content.body.size() <= small_answer)
      out_head_.append(content.body);
    else if (!content.pieces)
      out_ = std::move(content.body);
  }
  flush();
}

void connection::fetch() {
  enter(state::fetching, {});
  const piece_receiver receiver(server_.answers, id_);
  try {
    rest_->next(receiver);
  } catch (const std::exception& error) {
    report(error);
    receiver.fail();
  }
}

void connection::take(piece next, charge held) {
  if (state_ != state::fetching) return;
  if (next.bytes.empty() || next.bytes.size() > rest_->length) return close();
  rest_->length -= next.bytes.size();
  if (rest_->length == 0) rest_.reset();
  out_held_ = std::move(held);
  out_head_.clear();
  out_ = std::move(next.bytes);
  flush();
}

void connection::flush() {
  enter(state::writing, server_.settings.write_timeout);
  writing_since_ = since_;
  taken_ = 0;
  std::array<asio::const_buffer, 2> left{asio::buffer(out_head_), asio::buffer(out_)};
  error_code failed;
  auto sent = socket_.write_some(left, failed);
  if (failed && failed != asio::error::would_block) return close();
  if (sent == out_head_.size() + out_.size()) return on_written();
  for (auto& part : left) {
    const auto skipped = std::min(sent, part.size());
    part += skipped;
    sent -= skipped;
  }
  // Called before each write. The bytes of the previous write have been taken then.
  const auto go_on = [self = shared_from_this(), before = std::size_t{0}](const error_code& error,
                                                                          std::size_t taken) mutable -> std::size_t {
    if (error) return 0;
    if (taken > 0 && self->state_ == state::writing) self->note_taken(taken - std::exchange(before, taken));
    return most_at_once;
  };
  asio::async_write(socket_, left, go_on, [self = shared_from_this()](error_code error, std::size_t) {
    if (self->state_ != state::writing) return;
    if (error) return self->close();
    self->on_written();
  });
}

void connection::note_taken(std::size_t bytes) {
  queue(waiting_for::client);
  if (since_ - writing_since_ >= buffers_fill) taken_ += bytes;
}

void connection::on_written() {
  if (rest_) return fetch();
  // Do not keep the memory of a rare large answer for the rest of the connection.
  free_heap(out_);
  if (out_head_.capacity() > small_answer) free_heap(out_head_);
  out_held_.release();
  if (keep_alive_ && !server_.stopping) {
    enter(state::idle, server_.settings.idle_timeout);
    return proceed();
  }
  if (!drain_ && pending_.empty()) return close();
  error_code failed;
  socket_.shutdown(socket::shutdown_send, failed);
  enter(state::draining, drain_patience);
  forget_request();
  wait_readable();
}

void connection::forget_request() {
  body_.reset();
  static_cast<void>(std::exchange(asked_, {}));
  body_held_.release();
  free_heap(pending_);
  pending_held_.release();
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

void connection::depart() {
  if (kind_ == waiting_for::answer) queue(waiting_for::departed);
}

void connection::close() {
  if (state_ == state::closed) return;
  enter(state::closed, {});
  error_code ignored;
  socket_.close(ignored);
  // The cancelled operations still have to return, but no longer use these. Code that closes connections because memory
  // is short must see at once how much this one has freed.
  forget_request();
  free_heap(out_head_);
  free_heap(out_);
  out_held_.release();
  server_.ended(id_);
}

} // namespace troupe::http
