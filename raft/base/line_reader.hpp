// Splits a stream of bytes into lines.
#pragma once

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace troupe {

class line_reader {
 public:
  /// `longest`: the maximum length of a line in bytes.
  explicit line_reader(std::size_t longest) : longest_(longest) {}

  void add(std::string_view data) {
    kept_.erase(0, begin_);
    begin_ = 0;
    kept_ += data;
  }
  /// The next complete line, without its line end; valid until the next `add`. Skips blank lines. Throws
  /// std::runtime_error if a line is too long.
  std::optional<std::string_view> next() {
    while (true) {
      const auto end = kept_.find('\n', begin_ + searched_);
      const auto size = (end == std::string::npos ? kept_.size() : end) - begin_;
      if (size > longest_) throw std::runtime_error("a line is too long");
      searched_ = end == std::string::npos ? size : 0;
      if (end == std::string::npos) return std::nullopt;
      const auto line = std::string_view{kept_}.substr(begin_, size);
      begin_ = end + 1;
      if (line.find_first_not_of(" \r\t") != std::string_view::npos) return line;
    }
  }

 private:
  std::size_t longest_;
  std::string kept_;
  std::size_t begin_ = 0;
  /// The number of bytes from `begin_` on that are known to contain no line end.
  std::size_t searched_ = 0;
};

} // namespace troupe
