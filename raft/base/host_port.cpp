#include <troupe/address.hpp>

#include "raft/base/address.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <troupe/printable.hpp>

namespace troupe {
namespace {

[[noreturn]] void refuse(std::string_view text, const std::string& why) {
  throw bad_address("bad address " + printable(text, 80) + ": " + why);
}

} // namespace

host_port parse_host_port(std::string_view text) {
  if (const auto* problem = raft::address_problem(text)) refuse(text, problem);
  const auto colon = text.rfind(':');
  const bool bracketed = text.starts_with('[');
  host_port address{std::string{bracketed ? text.substr(1, colon - 2) : text.substr(0, colon)}};
  std::from_chars(text.data() + colon + 1, text.data() + text.size(), address.port);
  std::transform(address.host.begin(), address.host.end(), address.host.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return address;
}

std::string to_string(const host_port& address) {
  const bool brackets = address.host.find(':') != std::string::npos;
  return (brackets ? '[' + address.host + ']' : address.host) + ':' + std::to_string(address.port);
}

std::string unbracketed(std::string_view host) {
  const bool bracketed = host.starts_with('[') && host.ends_with(']') && host.find(':') != std::string_view::npos;
  return std::string{bracketed ? host.substr(1, host.size() - 2) : host};
}

} // namespace troupe
