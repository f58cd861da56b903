#include "runtime/http/host_rules.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <troupe/http/server.hpp>
#include <troupe/printable.hpp>

namespace troupe::http {

namespace {

bool is_address(const std::string& host, int family) {
  std::array<unsigned char, sizeof(in6_addr)> ignored{};
  return ::inet_pton(family, host.c_str(), ignored.data()) == 1;
}

bool is_name_byte(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-' || c == '.' || c == '_';
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (auto& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

bool is_origin_of(std::string_view origin, const authority& server) {
  for (const auto& [scheme, usual] :
       {std::pair{std::string_view("http://"), 80}, {std::string_view("https://"), 443}}) {
    if (!origin.starts_with(scheme)) continue;
    const auto from = parse_authority(origin.substr(scheme.size()));
    return from && from->host == server.host && from->port.value_or(usual) == server.port.value_or(usual);
  }
  return false; // including "null"
}

} // namespace

std::optional<authority> parse_authority(std::string_view text) {
  authority out;
  std::string_view rest;
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == text.npos) return std::nullopt;
    out.host = lower(text.substr(1, end - 1));
    out.is_address = true;
    if (!is_address(out.host, AF_INET6)) return std::nullopt;
    rest = text.substr(end + 1);
  } else {
    const auto colon = std::min(text.find(':'), text.size());
    out.host = lower(text.substr(0, colon));
    rest = text.substr(colon);
    out.is_address = is_address(out.host, AF_INET);
    if (out.host.size() > 1 && out.host.ends_with('.')) out.host.pop_back();
    if (out.host.empty() || out.host.size() > 255 || !std::all_of(out.host.begin(), out.host.end(), is_name_byte))
      return std::nullopt;
  }
  if (rest.empty()) return out;
  rest.remove_prefix(1); // the colon, after which the port may be missing
  if (text[text.size() - rest.size() - 1] != ':') return std::nullopt;
  if (rest.empty()) return out;
  std::uint16_t port = 0;
  const auto [stop, failed] = std::from_chars(rest.data(), rest.data() + rest.size(), port);
  if (failed != std::errc{} || stop != rest.data() + rest.size() || port == 0) return std::nullopt;
  out.port = port;
  return out;
}

bool is_host_name(std::string_view text) {
  const auto found = parse_authority(text);
  return found && !found->port;
}

std::optional<problem> check_caller(const head& asked, const std::vector<std::string>& names) {
  std::optional<authority> server;
  if (!asked.host.empty()) {
    server = parse_authority(asked.host);
    const auto called = [&](const std::string& name) {
      const auto known = parse_authority(name);
      return known && known->host == server->host;
    };
    if (!server->is_address && server->host != "localhost" && std::none_of(names.begin(), names.end(), called))
      return problem{421, "unknown_host",
                     "unknown host " + printable(server->host) +
                         ": use the server's IP address, localhost, or a name that was set with --http-host"};
  }
  if (asked.method == "GET" || asked.method == "HEAD" || asked.method == "OPTIONS") return std::nullopt;
  for (const auto& [name, value] : asked.headers) {
    if (same_text(name, "Origin") && (!server || !is_origin_of(lower(value), *server)))
      return problem{403, "foreign_origin",
                     "a page of another origin, " + printable(value) + ", must not change anything here"};
    if (same_text(name, "Sec-Fetch-Site") && !same_text(value, "same-origin") && !same_text(value, "none"))
      return problem{403, "foreign_origin", "a page of another site must not change anything here"};
  }
  return std::nullopt;
}

} // namespace troupe::http
