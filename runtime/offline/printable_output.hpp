// What the tools print comes from files and from the network: nothing of it may steer the terminal.
#pragma once

#include <cstddef>
#include <ostream>
#include <streambuf>
#include <string>
#include <string_view>

namespace troupe::offline {

/// Passes UTF-8 text on to another buffer. A question mark takes the place of control characters other than line breaks
/// and tabs (C0, DEL, C1, and so every escape sequence) and of bytes that are not UTF-8.
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
  std::string unfinished_; // the first bytes of a character
};

/// Lets a stream print through a filter, as long as this lives.
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

/// Text of another machine as part of a line: control characters become question marks, and it is cut after `most`
/// bytes.
std::string one_line(std::string_view text, std::size_t most = 500);

/// Flushes; throws std::runtime_error with the reason if not everything was written.
void check_written(std::ostream& out);

} // namespace troupe::offline
