// Raw sockets, to send what a well-behaved client never sends.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace troupe::http::testing {

/// A blocking connection to 127.0.0.1, from there or from another address of this machine. A wait of more than 10 s
/// fails the test.
class wire {
 public:
  /// `receive_buffer`: size of the kernel's buffer in bytes; 0: the default.
  explicit wire(std::uint16_t port, const std::string& from = "127.0.0.1", int receive_buffer = 0);
  ~wire();
  wire(wire&& other) noexcept;
  wire(const wire&) = delete;

  /// False once the server has closed the connection.
  bool send(std::string_view bytes);
  /// Reads until `text` has arrived. Removes and returns everything up to and including it. If the stream ends before,
  /// returns what has arrived.
  std::string read_until(std::string_view text);
  std::string read_exactly(std::size_t size);
  /// Reads until the server closes.
  std::string read_all();
  /// Whether the connection ended with a reset, in which case a client may lose bytes that it has not read.
  bool was_reset() const { return was_reset_; }
  void half_close();
  /// Closes with a reset instead of an orderly shutdown.
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
