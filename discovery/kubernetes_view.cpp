#include "discovery/kubernetes_view.hpp"

#include "raft/base/utf8.hpp"

#include <nlohmann/json.hpp>

#include <charconv>
#include <optional>
#include <troupe/address.hpp>
#include <troupe/printable.hpp>

namespace troupe {
namespace {

using nlohmann::json;

constexpr std::size_t max_objects = 4096;

/// A text of the API server for a human-readable message.
std::string shown(std::string_view text) {
  constexpr std::size_t longest = 200;
  return base::plain_text(text.substr(0, longest));
}

json parsed(std::string_view text) {
  auto value = json::parse(text, nullptr, false);
  if (!value.is_object()) throw bad_kubernetes_answer("the API's answer is not a JSON object");
  return value;
}

/// The member if it has this type. Null if it is missing or of another type, because optional members may be null.
const json* member_of(const json& of, const char* key, json::value_t type) {
  if (!of.is_object()) return nullptr;
  const auto found = of.find(key);
  return found != of.end() && found->type() == type ? &*found : nullptr;
}
const json& object_in(const json& of, const char* key) {
  static const json none = json::object();
  const auto* found = member_of(of, key, json::value_t::object);
  return found ? *found : none;
}
const json& array_in(const json& of, const char* key) {
  static const json none = json::array();
  const auto* found = member_of(of, key, json::value_t::array);
  return found ? *found : none;
}
std::string text_in(const json& of, const char* key) {
  const auto* found = member_of(of, key, json::value_t::string);
  return found ? found->get<std::string>() : std::string{};
}
bool true_in(const json& of, const char* key) {
  const auto* found = member_of(of, key, json::value_t::boolean);
  return found && found->get<bool>();
}

std::optional<std::uint16_t> port_number(const json& port, const char* key) {
  const auto* number = member_of(port, key, json::value_t::number_unsigned);
  if (!number || *number == 0 || *number > 65535) return std::nullopt;
  return number->get<std::uint16_t>();
}

std::optional<std::uint16_t> as_number(const std::string& text) {
  std::uint16_t number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc{} || end != text.data() + text.size() || number == 0) return std::nullopt;
  return number;
}

void add(std::set<std::string>& to, const std::string& host, std::uint16_t port) {
  try {
    to.insert(to_string(parse_host_port(to_string(host_port{host, port}))));
  } catch (const bad_address&) {
    // The address cannot be dialed.
  }
}

/// The port with this name. If a service has only one port, the port may be unnamed.
std::optional<std::uint16_t> slice_port(const json& slice, const std::string& wanted) {
  if (const auto number = as_number(wanted)) return number;
  const auto& ports = array_in(slice, "ports");
  for (const auto& port : ports)
    if (text_in(port, "name") == wanted) return port_number(port, "port");
  if (ports.size() == 1 && text_in(ports[0], "name").empty()) return port_number(ports[0], "port");
  return std::nullopt;
}

std::set<std::string> slice_peers(const json& slice, const std::string& wanted) {
  std::set<std::string> peers;
  const auto port = slice_port(slice, wanted);
  if (!port) return peers;
  for (const auto& endpoint : array_in(slice, "endpoints")) {
    if (true_in(object_in(endpoint, "conditions"), "terminating")) continue;
    for (const auto& address : array_in(endpoint, "addresses"))
      if (address.is_string()) add(peers, address.get<std::string>(), *port);
  }
  return peers;
}

std::optional<std::uint16_t> pod_port(const json& pod, const std::string& wanted) {
  if (const auto number = as_number(wanted)) return number;
  for (const auto& container : array_in(object_in(pod, "spec"), "containers"))
    for (const auto& port : array_in(container, "ports"))
      if (text_in(port, "name") == wanted) return port_number(port, "containerPort");
  return std::nullopt;
}

std::set<std::string> pod_peers(const json& pod, const std::string& wanted) {
  std::set<std::string> peers;
  const auto& status = object_in(pod, "status");
  const auto phase = text_in(status, "phase");
  const bool ends = !text_in(object_in(pod, "metadata"), "deletionTimestamp").empty();
  const auto port = pod_port(pod, wanted);
  if (!port || ends || phase == "Succeeded" || phase == "Failed") return peers;
  add(peers, text_in(status, "podIP"), *port);
  for (const auto& each : array_in(status, "podIPs")) add(peers, text_in(each, "ip"), *port);
  return peers;
}

std::set<std::string> peers_of(kubernetes_kind kind, const json& object, const std::string& port) {
  return kind == kubernetes_kind::pods ? pod_peers(object, port) : slice_peers(object, port);
}

std::string name_of_object(const json& object) {
  auto name = text_in(object_in(object, "metadata"), "name");
  if (name.empty()) throw bad_kubernetes_answer("the API's answer has an object without a name");
  return name;
}

} // namespace

std::string kubernetes_view::add_page(std::string_view text) {
  const auto page = parsed(text);
  const auto& about = object_in(page, "metadata");
  const auto version = text_in(about, "resourceVersion");
  if (version.empty() || (!page.contains("items") && !page.contains("kind")))
    throw bad_kubernetes_answer("the API's answer is not a list");
  for (const auto& item : array_in(page, "items")) listing_[name_of_object(item)] = peers_of(kind_, item, port_);
  if (listing_.size() > max_objects) throw bad_kubernetes_answer("the list is too long");
  if (auto next = text_in(about, "continue"); !next.empty()) return next;
  known_ = std::exchange(listing_, {});
  version_ = version;
  return {};
}

kubernetes_view::told kubernetes_view::apply(std::string_view text) {
  const auto event = parsed(text);
  const auto type = text_in(event, "type");
  const auto& object = object_in(event, "object");
  if (type == "ERROR") {
    const auto* code = member_of(object, "code", json::value_t::number_unsigned);
    if (code && *code == status_gone) return told::expired;
    throw bad_kubernetes_answer("the watch failed: " + shown(text_in(object, "message")));
  }
  auto changed = told::nothing_new;
  if (type == "ADDED" || type == "MODIFIED") {
    auto peers = peers_of(kind_, object, port_);
    auto& known = known_[name_of_object(object)];
    if (known_.size() > max_objects) throw bad_kubernetes_answer("there are too many objects");
    if (known != peers) changed = told::change;
    known = std::move(peers);
  } else if (type == "DELETED") {
    if (known_.erase(name_of_object(object)) > 0) changed = told::change;
  } else if (type != "BOOKMARK") {
    throw bad_kubernetes_answer("the watch has an event of an unknown type: " + printable(type));
  }
  if (auto version = text_in(object_in(object, "metadata"), "resourceVersion"); !version.empty())
    version_ = std::move(version);
  return changed;
}

std::vector<std::string> kubernetes_view::addresses() const {
  std::set<std::string> all;
  for (const auto& [name, peers] : known_) all.insert(peers.begin(), peers.end());
  return {all.begin(), all.end()};
}

std::string kubernetes_reason(std::string_view text) {
  const auto status = json::parse(text, nullptr, false);
  return shown(text_in(status, "message"));
}

} // namespace troupe
