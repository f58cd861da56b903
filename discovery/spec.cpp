#include "discovery/spec.hpp"

#include <algorithm>
#include <charconv>
#include <functional>
#include <map>
#include <troupe/printable.hpp>

namespace troupe {
namespace {

constexpr auto methods_text =
    "static:host:port,...  dns:name:port  dns:_service._tcp.name  k8s:service=name  k8s:selector=labels  mdns:";

std::string_view trim(std::string_view text) {
  constexpr std::string_view blank = " \t\r\n";
  const auto first = text.find_first_not_of(blank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blank) - first + 1);
}

/// The parts between separators, trimmed, without empty ones. Separators within parentheses, as in label selectors, do
/// not count.
std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  int depth = 0;
  std::size_t begin = 0;
  for (std::size_t at = 0; at <= text.size(); ++at) {
    const char c = at < text.size() ? text[at] : separator;
    depth += c == '(' ? 1 : c == ')' ? -1 : 0;
    if (at < text.size() && (c != separator || depth > 0)) continue;
    if (const auto part = trim(text.substr(begin, at - begin)); !part.empty()) parts.push_back(part);
    begin = at + 1;
  }
  return parts;
}

using option_readers = std::map<std::string_view, std::function<void(std::string_view)>>;

/// Options are key=value. `method` is for error messages.
void read_options(const std::string& method, const std::vector<std::string_view>& options,
                  const option_readers& readers) {
  for (const auto option : options) {
    const auto equals = option.find('=');
    const auto key = trim(option.substr(0, equals));
    const auto reader = readers.find(key);
    if (equals == std::string_view::npos || reader == readers.end()) {
      std::string known;
      for (const auto& [name, read] : readers) known += (known.empty() ? "" : ", ") + std::string{name} + "=";
      throw bad_discovery(method + " discovery has no option " + printable(option) + "; its options are " + known);
    }
    const auto value = trim(option.substr(equals + 1));
    if (value.empty()) throw bad_discovery(method + " discovery: " + std::string{key} + "= needs a value");
    reader->second(value);
  }
}

std::chrono::seconds parse_interval(std::string_view text) {
  constexpr int longest = 3600;
  int seconds = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (failure != std::errc{} || end != text.data() + text.size() || seconds < 1 || seconds > longest)
    throw bad_discovery("interval= must be a number of seconds from 1 to 3600, not " + printable(text));
  return std::chrono::seconds{seconds};
}

static_list parse_static(std::string_view text) {
  static_list list;
  for (const auto item : split(text, ',')) list.addresses.push_back(parse_host_port(item));
  if (list.addresses.empty()) throw bad_discovery("static discovery needs addresses, as in static:a:5000,b:5000");
  return list;
}

dns_query parse_dns(std::string_view text) {
  auto parts = split(text, ',');
  if (parts.empty() || parts.front().find('=') != std::string_view::npos)
    throw bad_discovery("dns discovery needs a name, as in dns:troupe.example.org:5000 or dns:_raft._tcp.example.org");
  const auto what = parts.front();
  dns_query query;
  if (what.starts_with('_')) {
    if (what.find(':') != std::string_view::npos)
      throw bad_discovery("dns discovery: " + printable(what) + " asks for SRV records, which include the port");
    query.name = parse_host_port(std::string{what} + ":1").host;
  } else {
    auto address = parse_host_port(what);
    if (address.host.find(':') != std::string::npos)
      throw bad_discovery("dns discovery: " + printable(what) +
                          " is an address, not a name; use static: for addresses");
    query.name = std::move(address.host);
    query.port = address.port;
  }
  parts.erase(parts.begin());
  read_options("dns", parts,
               {{"interval", [&](std::string_view value) { query.interval = parse_interval(value); }},
                {"server", [&](std::string_view value) {
                   const bool has_port = value.find(':') != std::string_view::npos;
                   query.server = parse_host_port(has_port ? std::string{value} : std::string{value} + ":53");
                   if (query.server->host.find_first_not_of("0123456789.") != std::string::npos)
                     throw bad_discovery("dns discovery: server= must be an IPv4 address, not " + printable(value));
                 }}});
  return query;
}

kubernetes_query parse_kubernetes(std::string_view text) {
  kubernetes_query query;
  const auto keep = [](std::string& in) { return [&in](std::string_view value) { in = value; }; };
  read_options(
      "k8s", split(text, ','),
      {{"service", keep(query.service)},
       {"selector",
        [&](std::string_view value) { query.selector += (query.selector.empty() ? "" : ",") + std::string{value}; }},
       {"namespace", keep(query.name_space)},
       {"port", keep(query.port)},
       {"server", keep(query.server)},
       {"secrets", keep(query.secrets)}});
  if (query.service.empty() == query.selector.empty())
    throw bad_discovery("k8s discovery needs one of service= and selector=, as in k8s:service=troupe,port=raft");
  if (!query.server.empty() && !query.server.starts_with("https://"))
    throw bad_discovery("k8s discovery: server= must begin with https://, as the token is sent there");
  return query;
}

/// A service type of RFC 6763: _name._tcp, of letters, digits and hyphens, at most 15 of them.
mdns_service parse_mdns(std::string_view text) {
  mdns_service service;
  text = trim(text);
  if (text.empty()) return service;
  constexpr std::string_view protocol = "._tcp";
  constexpr std::size_t longest = 15;
  const auto name = text.starts_with('_') && text.ends_with(protocol) && text.size() > protocol.size()
                        ? text.substr(1, text.size() - 1 - protocol.size())
                        : std::string_view{};
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  };
  if (name.empty() || name.size() > longest || name.starts_with('-') || name.ends_with('-') ||
      !std::all_of(name.begin(), name.end(), fits))
    throw bad_discovery("mdns discovery takes a service type, as in mdns:_troupe._tcp, with a name of at most 15 "
                        "letters, digits and hyphens, not " +
                        printable(text));
  service.type = text;
  return service;
}

discovery_method parse_method(std::string_view text) {
  const auto colon = text.find(':');
  const auto method = text.substr(0, colon);
  const auto rest = colon == std::string_view::npos ? std::string_view{} : text.substr(colon + 1);
  if (method == "static") return parse_static(rest);
  if (method == "dns") return parse_dns(rest);
  if (method == "k8s") return parse_kubernetes(rest);
  if (method == "mdns") return parse_mdns(rest);
  if (method == "none") throw bad_discovery("\"none\" takes no value and cannot be combined with other methods");
  throw bad_discovery("unknown discovery method " + printable(text) + "; the methods are " + methods_text);
}

void add(discovery_spec& spec, discovery_method method) {
  if (const auto* more = std::get_if<static_list>(&method)) {
    auto known = std::find_if(spec.begin(), spec.end(),
                              [](const auto& each) { return std::holds_alternative<static_list>(each); });
    if (known == spec.end()) known = spec.insert(spec.end(), static_list{});
    auto& all = std::get<static_list>(*known).addresses;
    for (const auto& address : more->addresses)
      if (std::find(all.begin(), all.end(), address) == all.end()) all.push_back(address);
    return;
  }
  for (const auto& each : spec)
    if (name_of(each) == name_of(method)) throw bad_discovery(name_of(method) + " is given twice");
  spec.push_back(std::move(method));
}

} // namespace

discovery_spec parse_discovery(std::string_view text) {
  discovery_spec spec;
  if (trim(text) == "none") return spec;
  for (const auto method : split(text, ';')) add(spec, parse_method(method));
  return spec;
}

std::string name_of(const discovery_method& method) {
  struct namer {
    std::string operator()(const static_list&) const { return "static"; }
    std::string operator()(const dns_query& q) const {
      return "dns:" + (q.port ? to_string(host_port{q.name, *q.port}) : q.name);
    }
    std::string operator()(const kubernetes_query& q) const {
      const auto place = q.name_space.empty() ? std::string{} : ",namespace=" + q.name_space;
      return (q.service.empty() ? "k8s:selector=" + q.selector : "k8s:service=" + q.service) + place;
    }
    std::string operator()(const mdns_service& s) const { return "mdns:" + s.type; }
  };
  return std::visit(namer{}, method);
}

} // namespace troupe
