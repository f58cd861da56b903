// Raw sockets: what a well-behaved client never sends.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace troupe::http::testing {

/// A blocking connection to 127.0.0.1, from there or from another address of this machine. Every wait ends after 10 s
/// with a failed test.
class wire {
 public:
  /// `receive_buffer`: bytes that the kernel keeps for it; 0: as many as it likes.
  explicit wire(std::uint16_t port, const std::string& from = "127.0.0.1", int receive_buffer = 0);
  ~wire();
  wire(wire&& other) noexcept;
  wire(const wire&) = delete;

  /// False once the server has closed the connection.
  bool send(std::string_view bytes);
  /// Reads until `text` has arrived; returns and takes everything up to and including it. What came so far if the
  /// stream ends before.
  std::string read_until(std::string_view text);
  std::string read_exactly(std::size_t size);
  /// Reads until the server closes.
  std::string read_all();
  /// Whether the connection ended with a reset, by which a client may lose what it has not read yet.
  bool was_reset() const { return was_reset_; }
  void half_close();
  /// Closes with a reset instead of an orderly end.
  void reset();
  void close();

 private:
  bool read_more();

  int fd_;
  std::string received_;
  bool was_reset_ = false;
};

/// One complete answer, with a Content-Length body, head and body together.
std::string read_answer(wire& from);

} // namespace troupe::http::testing
