#include "examples/webserver/duration.hpp"

#include <charconv>
#include <cstdint>

namespace troupe::webserver {

using std::chrono::milliseconds;

std::optional<milliseconds> parse_duration(std::string_view text) {
  std::uint32_t count = 0;
  const auto [unit, failed] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (failed != std::errc{} || count == 0) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(unit - text.data()));
  if (text != "ms" && text != "s") return std::nullopt;
  const milliseconds duration = text == "s" ? std::chrono::seconds{count} : milliseconds{count};
  if (duration > max_duration) return std::nullopt;
  return duration;
}

std::string to_string(milliseconds duration) {
  const auto count = duration.count();
  return count % 1000 == 0 ? std::to_string(count / 1000) + "s" : std::to_string(count) + "ms";
}

} // namespace troupe::webserver
