#include "discovery/host_port.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace troupe {
namespace {

[[noreturn]] void refuse(std::string_view text, const std::string& why) {
  constexpr std::size_t longest = 80;
  std::string shown;
  for (const char c : text.substr(0, longest)) shown += c >= 0x20 && c < 0x7f ? c : '?';
  throw bad_address("bad address \"" + shown + "\": " + why);
}

bool is_name_character(unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '.' || c == '_'; }

/// Hexadecimal groups, an IPv4 tail, and a zone ("%eth0"); whether it is an address is for the resolver to say.
bool is_ipv6_character(unsigned char c) { return is_name_character(c) || c == ':' || c == '%'; }

std::uint16_t parse_port(std::string_view text, std::string_view whole) {
  std::uint16_t port = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (text.empty() || failure != std::errc{} || end != text.data() + text.size() || port == 0)
    refuse(whole, "the port must be a number from 1 to 65535");
  return port;
}

} // namespace

host_port parse_host_port(std::string_view text) {
  constexpr std::size_t longest_name = 253;
  std::string_view host;
  std::string_view port;
  const bool bracketed = text.starts_with('[');
  if (bracketed) {
    const auto end = text.find(']');
    if (end == std::string_view::npos) refuse(text, "the bracket is not closed");
    host = text.substr(1, end - 1);
    const auto rest = text.substr(end + 1);
    if (!rest.starts_with(':')) refuse(text, "there must be a port, as in [::1]:5000");
    port = rest.substr(1);
    if (host.find(':') == std::string_view::npos) refuse(text, "brackets are for IPv6 addresses");
  } else {
    const auto colon = text.find(':');
    if (colon == std::string_view::npos) refuse(text, "there must be a port, as in name:5000");
    if (text.find(':', colon + 1) != std::string_view::npos)
      refuse(text, "an IPv6 address stands in brackets, as in [::1]:5000");
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
  }
  if (host.empty()) refuse(text, "the host is missing");
  if (host.size() > longest_name) refuse(text, "the host is too long");
  if (!std::all_of(host.begin(), host.end(), bracketed ? is_ipv6_character : is_name_character))
    refuse(text, "the host has characters that no host has");
  host_port address{std::string{host}, parse_port(port, text)};
  std::transform(address.host.begin(), address.host.end(), address.host.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return address;
}

std::string to_string(const host_port& address) {
  const bool brackets = address.host.find(':') != std::string::npos;
  return (brackets ? '[' + address.host + ']' : address.host) + ':' + std::to_string(address.port);
}

} // namespace troupe
