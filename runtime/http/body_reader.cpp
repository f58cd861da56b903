#include "runtime/http/body_reader.hpp"
#include "runtime/http/hex.hpp"

#include <algorithm>

namespace troupe::http {

namespace {

constexpr std::size_t smallest_capacity = 1024;

problem too_large() { return {413, "body_too_large", "request body too large"}; }

} // namespace

body_reader::body_reader(const head& of, std::size_t most, std::size_t most_framing)
    : state_(of.chunked ? state::size_begin : state::content), most_(most), framing_left_(most_framing),
      left_(of.length), chunked_(of.chunked) {
  if (!chunked_ && left_ > most_) failed_ = too_large();
  if (!chunked_ && left_ == 0) state_ = state::done;
}

std::size_t body_reader::wanted_capacity(std::size_t bytes) const {
  if (state_ == state::done) return 0;
  const auto most = chunked_ ? most_ : static_cast<std::size_t>(std::min<std::uint64_t>(body_.size() + left_, most_));
  const auto needed = std::min(body_.size() + bytes, most);
  if (needed <= body_.capacity()) return 0;
  // Grows with the bytes that have arrived, not with an announced length.
  return std::min(std::max({needed, 2 * body_.capacity(), smallest_capacity}), std::max(most, needed));
}

void body_reader::reserve(std::size_t capacity) {
  std::string larger;
  larger.reserve(capacity);
  body_ = std::move(larger.append(body_));
}

std::size_t body_reader::feed(std::string_view bytes) {
  std::size_t used = 0;
  while (used < bytes.size() && !done() && !failed_) {
    if (state_ == state::content || state_ == state::data) {
      used += take_content(bytes.substr(used));
    } else {
      step(bytes[used]);
      ++used;
    }
  }
  return used;
}

std::size_t body_reader::take_content(std::string_view bytes) {
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size()));
  body_.append(bytes.substr(0, size));
  left_ -= size;
  if (left_ == 0) state_ = chunked_ ? state::data_end : state::done;
  return size;
}

void body_reader::step(char c) {
  switch (state_) {
  case state::size_begin:
    return on_size_digit(c, true);
  case state::size:
    if (c == '\r') return void(state_ = state::size_end);
    if (c != ';') return on_size_digit(c, false);
    state_ = state::extension;
    return count_framing();
  case state::extension:
    if (c == '\r') return void(state_ = state::size_end);
    if (!is_field_byte(c)) return refuse("bad chunk extension");
    return count_framing();
  case state::size_end:
    if (c != '\n') return refuse("bad line end after a chunk size");
    return end_size_line();
  case state::data_end:
    if (c != '\r') return refuse("bad line end after a chunk");
    return void(state_ = state::data_line_end);
  case state::data_line_end:
    if (c != '\n') return refuse("bad line end after a chunk");
    return void(state_ = state::size_begin);
  case state::trailer_begin:
    if (c == '\r') return void(state_ = state::last_line_end);
    if (!is_token_byte(c)) return refuse("bad trailer");
    state_ = state::trailer_name;
    return count_framing();
  case state::trailer_name:
    if (c != ':' && !is_token_byte(c)) return refuse("bad trailer");
    if (c == ':') state_ = state::trailer_value;
    return count_framing();
  case state::trailer_value:
    if (c == '\r') return void(state_ = state::trailer_end);
    if (!is_field_byte(c)) return refuse("bad trailer");
    return count_framing();
  case state::trailer_end:
    if (c != '\n') return refuse("bad line end after a trailer");
    return void(state_ = state::trailer_begin);
  case state::last_line_end:
    if (c != '\n') return refuse("bad line end after the last chunk");
    return void(state_ = state::done);
  case state::content:
  case state::data:
  case state::done:
    return;
  }
}

void body_reader::on_size_digit(char c, bool first) {
  const auto digit = hex_value(c);
  if (digit < 0) return refuse("bad chunk size");
  if (first) left_ = 0;
  left_ = left_ * 16 + static_cast<unsigned>(digit);
  state_ = state::size;
  if (left_ > most_ - std::min(body_.size(), most_)) failed_ = too_large();
  // Otherwise leading zeros could make a size endless.
  if (!first) count_framing();
}

void body_reader::end_size_line() { state_ = left_ == 0 ? state::trailer_begin : state::data; }

void body_reader::refuse(const char* why) {
  failed_ = problem{400, "bad_request", std::string("malformed request: ") + why};
}

void body_reader::count_framing() {
  if (framing_left_-- == 0) failed_ = problem{431, "header_too_large", "chunk extensions and trailers too large"};
}

} // namespace troupe::http
