// Takes the body of one request out of a stream of bytes. Pure: no socket, no clock.
#pragma once

#include "runtime/http/budget.hpp"
#include "runtime/http/head.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::http {

/// A body of a known length, or one in chunks (RFC 9112, 7.1), which is read strictly: line ends are CRLF, chunk
/// extensions and trailers hold no control characters, lines are not folded. Extensions and trailers are forgotten.
class body_reader {
 public:
  /// A body of more than `most` bytes is refused (413), as are more than `most_framing` bytes of extensions and
  /// trailers together (431).
  body_reader(const head& of, std::size_t most, std::size_t most_framing);

  bool done() const noexcept { return state_ == state::done; }
  /// Once set, nothing more is to be fed.
  const std::optional<problem>& failed() const noexcept { return failed_; }

  /// Room that `bytes` would need beyond what is reserved; 0 if they fit. Content may be less than that.
  std::size_t wanted_capacity(std::size_t bytes) const;
  /// Allocates no more than this: std::string::reserve may take twice the old capacity instead.
  void reserve(std::size_t capacity);
  std::size_t capacity() const noexcept { return body_.capacity(); }
  /// What it occupies of the heap.
  std::size_t held() const noexcept { return heap_bytes(body_); }

  /// Returns how many bytes belong to this body.
  std::size_t feed(std::string_view bytes);
  std::string take() { return std::move(body_); }

 private:
  enum class state {
    content,       // of known length
    size_begin,    // the first digit of a chunk's size
    size,          // further digits
    extension,     // behind the size
    size_end,      // CR was read
    data,          // of a chunk
    data_end,      // CR is due
    data_line_end, // LF is due
    trailer_begin, // a line, or the end
    trailer_name,  // up to the colon
    trailer_value, // behind it
    trailer_end,   // CR was read
    last_line_end, // LF is due, and that is all
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
  /// Of the body, or of the chunk.
  std::uint64_t left_ = 0;
  bool chunked_;
  std::string body_;
  std::optional<problem> failed_;
};

} // namespace troupe::http
