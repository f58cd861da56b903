#include "raft/base/address.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace troupe::raft {
namespace {

constexpr std::size_t longest_name = 253;

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

/// Accepts hexadecimal groups, an IPv4 tail and a zone ("%eth0"). The resolver checks whether it is a valid address.
bool is_ipv6_character(char c) { return is_name_character(c) || c == ':' || c == '%'; }

bool is_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), port);
  return !text.empty() && failure == std::errc{} && end == text.data() + text.size() && port != 0;
}

} // namespace

const char* address_problem(std::string_view text) {
  std::string_view host;
  std::string_view port;
  const bool bracketed = text.starts_with('[');
  if (bracketed) {
    const auto end = text.find(']');
    if (end == std::string_view::npos) return "the bracket is not closed";
    host = text.substr(1, end - 1);
    const auto rest = text.substr(end + 1);
    if (!rest.starts_with(':')) return "there must be a port, as in [::1]:5000";
    port = rest.substr(1);
    if (host.find(':') == std::string_view::npos) return "brackets are for IPv6 addresses";
  } else {
    const auto colon = text.find(':');
    if (colon == std::string_view::npos) return "there must be a port, as in name:5000";
    if (text.find(':', colon + 1) != std::string_view::npos)
      return "an IPv6 address must be in brackets, as in [::1]:5000";
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
  }
  if (host.empty()) return "the host is missing";
  if (host.size() > longest_name) return "the host is too long";
  if (!std::all_of(host.begin(), host.end(), bracketed ? is_ipv6_character : is_name_character))
    return "the host contains invalid characters";
  if (!is_port(port)) return "the port must be a number from 1 to 65535";
  return nullptr;
}

} // namespace troupe::raft
