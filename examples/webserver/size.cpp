#include "examples/webserver/size.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <limits>
#include <string>

namespace troupe::webserver {
namespace {

/// The power of two of a unit. Empty if `unit` is not a unit.
std::optional<unsigned> shift_of(std::string unit) {
  std::transform(unit.begin(), unit.end(), unit.begin(), [](unsigned char c) { return std::tolower(c); });
  if (unit.empty() || unit == "b") return 0;
  constexpr std::string_view prefixes = "kmgt";
  const auto prefix = prefixes.find(unit.front());
  const auto rest = std::string_view{unit}.substr(1);
  if (prefix == prefixes.npos || (!rest.empty() && rest != "b" && rest != "ib")) return std::nullopt;
  return static_cast<unsigned>(10 * (prefix + 1));
}

} // namespace

std::optional<std::uint64_t> parse_size(std::string_view text) {
  constexpr std::uint64_t most = std::numeric_limits<std::int64_t>::max();
  std::uint64_t count = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (failed != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  const auto shift = shift_of(std::string{text});
  if (!shift || count > most >> *shift) return std::nullopt;
  return count << *shift;
}

} // namespace troupe::webserver
