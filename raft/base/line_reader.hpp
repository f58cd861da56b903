// Lines out of a stream of bytes.
#pragma once

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace troupe {

class line_reader {
 public:
  /// A line of more than `longest` bytes is an error.
  explicit line_reader(std::size_t longest) : longest_(longest) {}

  void add(std::string_view data) {
    kept_.erase(0, begin_);
    begin_ = 0;
    kept_ += data;
  }
  /// The next whole line, without its end; valid until `add`. Blank ones are passed over. Throws std::runtime_error.
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
  /// Behind `begin_`; there is no end of line in these.
  std::size_t searched_ = 0;
};

} // namespace troupe
