// Filters the output of the tools. It contains text from files and from the network, which must not control the
// terminal.
#pragma once

#include <cstddef>
#include <ostream>
#include <streambuf>
#include <string>
#include <string_view>

namespace troupe::offline {

/// Passes UTF-8 text to another buffer. Replaces with a question mark all control characters except line breaks and
/// tabs (C0, DEL, C1, and so every escape sequence), and bytes that are not UTF-8.
class printable_buffer final : public std::streambuf {
 public:
  explicit printable_buffer(std::streambuf& to) : to_(to) {}

 protected:
  int_type overflow(int_type next) override;
  std::streamsize xsputn(const char* text, std::streamsize size) override;
  int sync() override;

 private:
  bool put(char next);
  bool pass(std::string_view text);

  std::streambuf& to_;
  std::string unfinished_; // the first bytes of an incomplete character
};

/// Filters the output of a stream for the lifetime of this object.
class printable_output final {
 public:
  explicit printable_output(std::ostream& stream);
  printable_output(const printable_output&) = delete;
  ~printable_output();

 private:
  std::ostream& stream_;
  std::streambuf* before_;
  printable_buffer filter_;
};

/// Makes text from another machine safe within a line: replaces control characters with question marks and cuts it
/// after `most` bytes.
std::string one_line(std::string_view text, std::size_t most = 500);

/// Flushes `out`. Throws std::runtime_error with the reason if not everything was written.
void check_written(std::ostream& out);

} // namespace troupe::offline
