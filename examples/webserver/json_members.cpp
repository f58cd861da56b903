#include "examples/webserver/json_members.hpp"

namespace troupe::webserver {
namespace {

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view space = " \t\r\n";
  const auto first = text.find_first_not_of(space);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(space) - first + 1);
}

/// Up to the first of these characters that stands neither in a string nor inside of brackets; all if there is none.
std::string_view until(std::string_view text, std::string_view stops) {
  std::size_t depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\') ++i;
      if (c == '"') quoted = false;
      continue;
    }
    if (depth == 0 && stops.find(c) != stops.npos) return text.substr(0, i);
    if (c == '"') quoted = true;
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && depth > 0) --depth;
  }
  return text;
}

} // namespace

std::optional<std::vector<std::pair<std::string_view, std::string_view>>> json_members(std::string_view text) {
  text = trimmed(text);
  if (text.size() < 2 || text.front() != '{' || text.back() != '}') return std::nullopt;
  text = text.substr(1, text.size() - 2);
  std::vector<std::pair<std::string_view, std::string_view>> members;
  if (trimmed(text).empty()) return members;
  for (;;) {
    const auto name = until(text, ":");
    if (name.size() == text.size()) return std::nullopt;
    text.remove_prefix(name.size() + 1);
    const auto value = until(text, ",");
    members.emplace_back(trimmed(name), trimmed(value));
    if (value.size() == text.size()) return members;
    text.remove_prefix(value.size() + 1);
  }
}

} // namespace troupe::webserver
