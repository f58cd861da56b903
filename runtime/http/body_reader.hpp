// Reads the body of one request from a stream of bytes. Pure: no socket, no clock.
#pragma once

#include "runtime/http/budget.hpp"
#include "runtime/http/head.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::http {

/// Reads a body of a known length, or one in chunks (RFC 9112, 7.1). Chunks are read strictly: lines must end with CRLF
/// and must not be folded, and chunk extensions and trailers must not contain control characters. Extensions and
/// trailers are discarded.
class body_reader {
 public:
  /// Refuses a body of more than `most` bytes (413), and more than `most_framing` bytes of extensions and trailers
  /// together (431).
  body_reader(const head& of, std::size_t most, std::size_t most_framing);

  bool done() const noexcept { return state_ == state::done; }
  /// Once this is set, the caller must not feed more bytes.
  const std::optional<problem>& failed() const noexcept { return failed_; }

  /// The capacity to `reserve` so that `bytes` more bytes fit; 0 if they already fit. An upper bound: some of the bytes
  /// may be framing.
  std::size_t wanted_capacity(std::size_t bytes) const;
  /// Allocates exactly this capacity. std::string::reserve may allocate twice the old one instead.
  void reserve(std::size_t capacity);
  std::size_t capacity() const noexcept { return body_.capacity(); }
  /// Bytes of the heap that the body occupies.
  std::size_t held() const noexcept { return heap_bytes(body_); }

  /// Reads from `bytes`. Returns how many of them belong to this body.
  std::size_t feed(std::string_view bytes);
  std::string take() { return std::move(body_); }

 private:
  enum class state {
    content,       // of known length
    size_begin,    // first digit of a chunk size
    size,          // further digits
    extension,     // after the size
    size_end,      // CR was read
    data,          // of a chunk
    data_end,      // expects CR
    data_line_end, // expects LF
    trailer_begin, // a trailer line, or the end
    trailer_name,  // up to the colon
    trailer_value, // after the colon
    trailer_end,   // CR was read
    last_line_end, // expects the final LF
    done,
  };

  std::size_t take_content(std::string_view bytes);
  void step(char c);
  void on_size_digit(char c, bool first);
  void end_size_line();
  void refuse(const char* why);
  void count_framing();

  state state_;
  std::size_t most_;
  std::size_t framing_left_;
  /// Missing bytes of the body, or of the current chunk.
  std::uint64_t left_ = 0;
  bool chunked_;
  std::string body_;
  std::optional<problem> failed_;
};

} // namespace troupe::http
