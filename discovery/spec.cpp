#include "discovery/spec.hpp"

#include <algorithm>

namespace troupe {
namespace {

std::string_view trim(std::string_view text) {
  constexpr std::string_view blank = " \t\r\n";
  const auto first = text.find_first_not_of(blank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blank) - first + 1);
}

static_list parse_static(std::string_view text) {
  static_list list;
  while (true) {
    const auto comma = text.find(',');
    if (const auto item = trim(text.substr(0, comma)); !item.empty()) {
      auto address = parse_host_port(item);
      if (std::find(list.addresses.begin(), list.addresses.end(), address) == list.addresses.end())
        list.addresses.push_back(std::move(address));
    }
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
  }
  if (list.addresses.empty()) throw bad_discovery("static discovery needs addresses, as in static:a:5000,b:5000");
  return list;
}

} // namespace

discovery_spec parse_discovery(std::string_view text) {
  constexpr std::string_view static_prefix = "static:";
  text = trim(text);
  if (text.empty() || text == "none") return no_discovery{};
  if (text.starts_with(static_prefix)) return parse_static(text.substr(static_prefix.size()));
  throw bad_discovery("unknown discovery method \"" + std::string{text.substr(0, 40)} +
                      "\"; it is static:host:port,host:port,... or none");
}

} // namespace troupe
