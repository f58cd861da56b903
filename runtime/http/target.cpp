#include <troupe/http/target.hpp>

#include "runtime/http/hex.hpp"

#include <algorithm>
#include <cstddef>

namespace troupe::http {

namespace {

bool is_unreserved(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

/// Splits `text` at its first `separator`. The second part is missing if there is no separator.
std::pair<std::string_view, std::optional<std::string_view>> cut(std::string_view text, char separator) {
  const auto at = text.find(separator);
  if (at == std::string_view::npos) return {text, std::nullopt};
  return {text.substr(0, at), text.substr(at + 1)};
}

/// Removes "http://authority", which a client may put in front of the path.
std::optional<std::string_view> origin_form(std::string_view text) {
  constexpr std::string_view scheme = "http://";
  if (!text.starts_with(scheme)) return text;
  text.remove_prefix(scheme.size());
  const auto end = text.find_first_of("/?");
  if (end == 0 || end == std::string_view::npos) return std::nullopt;
  return text.substr(end);
}

} // namespace

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (text.size() - i < 3) return std::nullopt;
      const int high = hex_value(text[i + 1]);
      const int low = hex_value(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += text[i] == '+' && plus_is_space ? ' ' : text[i];
    }
  }
  return out;
}

std::string percent_encode(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (is_unreserved(c)) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += digits[byte >> 4];
      out += digits[byte & 15];
    }
  }
  return out;
}

bool has_too_many_parts(std::string_view text) {
  const auto origin = origin_form(text);
  if (!origin || !origin->starts_with('/')) return false;
  const auto [path, query] = cut(*origin, '?');
  const auto parameters = query.value_or("");
  // Empty parameters count too. `parse_target` drops them, but they have no use either.
  return static_cast<std::size_t>(std::count(path.begin(), path.end(), '/')) > max_segments ||
         static_cast<std::size_t>(std::count(parameters.begin(), parameters.end(), '&')) >= max_parameters;
}

std::optional<target> parse_target(std::string_view text) {
  if (has_too_many_parts(text)) return std::nullopt;
  const auto origin = origin_form(text);
  if (!origin || !origin->starts_with('/')) return std::nullopt;
  const auto [path, query] = cut(origin->substr(1), '?');
  target out;
  for (std::optional<std::string_view> rest = path; rest;) {
    const auto [segment, more] = cut(*rest, '/');
    auto decoded = percent_decode(segment, false);
    if (!decoded) return std::nullopt;
    out.segments.push_back(std::move(*decoded));
    rest = more;
  }
  for (auto rest = query; rest;) {
    const auto [parameter, more] = cut(*rest, '&');
    rest = more;
    if (parameter.empty()) continue;
    const auto [name, value] = cut(parameter, '=');
    auto decoded_name = percent_decode(name, true);
    auto decoded_value = percent_decode(value.value_or(""), true);
    if (!decoded_name || !decoded_value) return std::nullopt;
    out.query.emplace_back(std::move(*decoded_name), std::move(*decoded_value));
  }
  return out;
}

} // namespace troupe::http
