#include "examples/webserver/api.hpp"

#include "examples/webserver/duration.hpp"
#include "raft/base/printable.hpp"
#include "runtime/storage/snapshot_format.hpp"
#include "services/json_value.hpp"

#include <algorithm>
#include <charconv>
#include <functional>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace troupe::webserver {
namespace {

using http::request;
using http::response;
using services::value;

/// Leaves `route` as an error response.
struct refusal {
  unsigned status;
  std::string code;
  std::string message;
  /// Of a 405.
  std::string methods = {};
};

[[noreturn]] void refuse(std::string message) { throw refusal{400, "bad_request", std::move(message)}; }

void allow(const request& asked, std::initializer_list<std::string_view> methods) {
  if (std::find(methods.begin(), methods.end(), asked.method) != methods.end()) return;
  std::string possible;
  for (const auto method : methods) possible.append(possible.empty() ? "" : ", ").append(method);
  throw refusal{405, "method_not_allowed",
                services::printable(asked.method) + " is not possible here, " + possible + " is", possible};
}

// -- parts of a request

/// Refuses a misspelt parameter, which would be taken for one that was not given.
void only(const request& asked, std::initializer_list<std::string_view> known) {
  std::string possible;
  for (const auto name : known) possible.append(possible.empty() ? "" : ", ").append(name);
  for (auto one = asked.query.begin(); one != asked.query.end(); ++one) {
    const auto& name = one->first;
    if (std::find(known.begin(), known.end(), name) == known.end())
      refuse("there is no parameter " + services::printable(name) + " here, " +
             (possible.empty() ? "nor any other" : "but " + possible));
    if (std::any_of(asked.query.begin(), one, [&](const auto& before) { return before.first == name; }))
      refuse("the parameter '" + name + "' is given twice");
  }
}

std::string parameter(const request& asked, std::string_view name) {
  const auto found = asked.parameter(name);
  if (!found) refuse("the parameter '" + std::string{name} + "' is missing");
  return std::string{*found};
}

std::chrono::milliseconds timeout_of(const request& asked, std::chrono::milliseconds otherwise = default_timeout) {
  const auto text = asked.parameter("timeout");
  if (!text) return otherwise;
  const auto timeout = parse_duration(*text);
  if (!timeout)
    refuse("the timeout " + services::printable(*text) + " is none: a number above 0 with ms or s, at most 3600s");
  return *timeout;
}

bool wants_stale(const request& asked) {
  const auto level = asked.parameter("level").value_or("linearizable");
  if (level != "linearizable" && level != "stale") refuse("the level is 'linearizable' or 'stale'");
  return level == "stale";
}

std::uint64_t number_of(const request& asked, std::string_view name, std::uint64_t otherwise) {
  const auto text = asked.parameter(name);
  if (!text) return otherwise;
  std::uint64_t number = 0;
  const auto [end, failed] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (failed != std::errc{} || end != text->data() + text->size())
    refuse("the " + std::string{name} + " is not a whole number");
  return number;
}

/// A map's name or a key. The service checks again; here nothing goes to the log in vain.
std::string name(std::string text) {
  if (text.size() > map::max_key_size) refuse("a map's name and a key are at most 4 KiB long");
  return text;
}

/// The members of the JSON object that the body is; each may take `most` bytes in MessagePack.
std::vector<std::pair<std::string, value>> json_members(const request& asked, std::size_t most) {
  std::string why;
  auto members = services::members_from_json(asked.body, &why, most);
  if (!members) refuse("the body is refused: " + why);
  return std::move(*members);
}

/// A value to be stored.
value storable(value given) {
  if (given.is_nil()) refuse("a null value cannot be stored: remove the key instead");
  if (given.size() > map::max_value_size) refuse("the value is larger than 1 MiB");
  return given;
}

value storable_json(std::string_view text) {
  std::string why;
  auto parsed = services::from_json(text, &why, map::max_value_size);
  if (!parsed) refuse("the body is refused: " + why);
  return storable(std::move(*parsed));
}

// -- results

response ok(std::string body) { return {200, "application/json", std::move(body)}; }

std::string json_or_null(const std::optional<value>& shown) { return shown ? services::to_json(*shown) : "null"; }

const char* json_bool(bool b) { return b ? "true" : "false"; }

template <class Result> response null_body(const Result&) { return ok("null"); }

response bare_value(const map::get_result& found) { return ok(json_or_null(found.value)); }

response revision(const map::put_result& done) { return ok("{\"revision\":" + std::to_string(done.revision) + "}"); }

response value_and_revision(const map::get_result& found) {
  if (!found.value) return http::error_response(404, "not_found", "there is no such key");
  return ok("{\"value\":" + services::to_json(*found.value) + ",\"revision\":" + std::to_string(found.revision) + "}");
}

response removed(const map::remove_result& done) {
  return ok(std::string{"{\"removed\":"} + json_bool(done.removed) + "}");
}

response swapped(const map::compare_and_swap_result& done) {
  return ok(std::string{"{\"swapped\":"} + json_bool(done.swapped) + ",\"current\":" + json_or_null(done.current) +
            "}");
}

response listing(const map::list_keys_result& found) {
  std::string body = "{\"keys\":[";
  for (const auto& key : found.keys) {
    if (body.back() != '[') body += ',';
    services::append_json_string(body, key);
  }
  return ok(body + "],\"more\":" + json_bool(found.more) + "}");
}

// -- routes

routed put_text(const request& asked) {
  allow(asked, {"POST"});
  only(asked, {"map", "key", "value", "timeout"});
  return call<map::put>{
      {name(parameter(asked, "map")), name(parameter(asked, "key")), storable(value::of(parameter(asked, "value")))},
      timeout_of(asked),
      false,
      null_body};
}

routed get_bare(const request& asked) {
  allow(asked, {"GET", "HEAD"});
  only(asked, {"map", "key", "timeout", "level"});
  return call<map::get>{{name(parameter(asked, "map")), name(parameter(asked, "key"))},
                        timeout_of(asked),
                        wants_stale(asked),
                        bare_value};
}

routed remove_bare(const request& asked) {
  allow(asked, {"POST"});
  only(asked, {"map", "key", "timeout"});
  return call<map::remove>{
      {name(parameter(asked, "map")), name(parameter(asked, "key"))}, timeout_of(asked), false, null_body};
}

routed list(request& asked) {
  allow(asked, {"GET", "HEAD"});
  only(asked, {"limit", "after", "timeout", "level"});
  map::list_keys message{name(std::move(asked.segments[2])), number_of(asked, "limit", map::max_listed_keys)};
  if (const auto after = asked.parameter("after")) message.after = name(std::string{*after});
  return call<map::list_keys>{std::move(message), timeout_of(asked), wants_stale(asked), listing};
}

routed one_key(request& asked) {
  allow(asked, {"GET", "HEAD", "PUT", "DELETE"});
  auto map = name(std::move(asked.segments[2]));
  auto key = name(std::move(asked.segments[3]));
  const bool reads = asked.method == "GET" || asked.method == "HEAD";
  reads ? only(asked, {"timeout", "level"}) : only(asked, {"timeout"});
  const auto timeout = timeout_of(asked);
  if (asked.method == "PUT")
    return call<map::put>{{std::move(map), std::move(key), storable_json(asked.body)}, timeout, false, revision};
  if (asked.method == "DELETE") return call<map::remove>{{std::move(map), std::move(key)}, timeout, false, removed};
  return call<map::get>{{std::move(map), std::move(key)}, timeout, wants_stale(asked), value_and_revision};
}

routed swap(request& asked) {
  allow(asked, {"POST"});
  only(asked, {"timeout"});
  std::optional<value> expected, replacement;
  for (auto& [member, given] : json_members(asked, map::max_value_size)) {
    auto* target = member == "expected" ? &expected : member == "value" ? &replacement : nullptr;
    if (!target || *target) refuse("the body has the members 'expected' and 'value', each once, and no other");
    *target = std::move(given);
  }
  if (!expected) refuse("the body lacks 'expected'");
  if (!replacement) refuse("the body lacks 'value'");
  return call<map::compare_and_swap>{{name(std::move(asked.segments[2])), name(std::move(asked.segments[3])),
                                      std::move(expected), storable(std::move(*replacement))},
                                     timeout_of(asked),
                                     false,
                                     swapped};
}

routed restore(request& asked) {
  allow(asked, {"PUT", "POST"});
  const auto backup = snapshot_format::parse_name(asked.segments[2]);
  if (!backup) refuse("a backup is named by its index, term, size and checksum in 16 hexadecimal digits each");
  asked.method == "POST" ? only(asked, {"timeout"}) : only(asked, {"offset", "timeout"});
  if (asked.method == "POST") return ask_restore{*backup, timeout_of(asked, default_restore_timeout)};
  if (asked.body.size() > max_backup_piece) refuse("a piece of a backup is at most 1 MiB long");
  return put_backup{*backup, number_of(asked, "offset", 0), std::move(asked.body),
                    timeout_of(asked, default_piece_timeout)};
}

raft::node_id node_of(std::string_view text) {
  const auto id = raft::parse_node_id(text);
  if (!id) refuse("a node's id is 16 hexadecimal digits, not " + services::printable(text));
  return *id;
}

/// The members of a JSON object in the body, as far as they are known here; `take` says whether it knows one.
void read_object(const request& asked, const std::function<bool(const std::string&, const value&)>& take) {
  for (const auto& [member, given] : json_members(asked, max_small_body))
    if (!take(member, given)) refuse("the body has a member that is not known here: " + services::printable(member));
}

std::string text_of(const value& given, const std::string& member) {
  const auto text = given.as<std::string>();
  if (!text) refuse("'" + member + "' is no text");
  return *text;
}

bool flag_of(const value& given, const std::string& member) {
  const auto flag = given.as<bool>();
  if (!flag) refuse("'" + member + "' must be true or false");
  return *flag;
}

std::uint64_t whole_number_of(const value& given, const std::string& member) {
  const auto number = given.as<std::uint64_t>();
  if (!number) refuse("'" + member + "' must be a whole number, 0 or above");
  return *number;
}

routed add_member(const request& asked) {
  raft::addition one;
  ask_change question{{}, timeout_of(asked)};
  read_object(asked, [&](const std::string& member, const value& given) {
    if (member == "id")
      one.who.id = node_of(text_of(given, member));
    else if (member == "address")
      one.who.address = text_of(given, member);
    else if (member == "replaces")
      one.replaces = node_of(text_of(given, member));
    else if (member == "voter")
      one.votes = flag_of(given, member);
    else if (member == "based_on")
      question.change.based_on = whole_number_of(given, member);
    else
      return false;
    return true;
  });
  if (!one.who.id) refuse("the body lacks 'id'");
  if (one.who.address.empty()) refuse("the body lacks 'address', as host:port");
  question.change.add.push_back(std::move(one));
  return question;
}

routed members(const request& asked) {
  if (asked.segments.size() == 2) {
    allow(asked, {"GET", "HEAD", "POST"});
    asked.method == "POST" ? only(asked, {"timeout"}) : only(asked, {});
    if (asked.method == "POST") return add_member(asked);
    return ask_members{};
  }
  allow(asked, {"DELETE"});
  only(asked, {"timeout", "based_on"});
  ask_change question{{}, timeout_of(asked)};
  question.change.remove.push_back(node_of(asked.segments[2]));
  question.change.based_on = number_of(asked, "based_on", 0);
  return question;
}

routed transfer(const request& asked) {
  allow(asked, {"POST"});
  only(asked, {"to", "timeout"});
  ask_transfer question{{}, timeout_of(asked)};
  if (const auto to = asked.parameter("to")) question.to = node_of(*to);
  return question;
}

template <class Question> routed simple(const request& asked) {
  allow(asked, {"GET", "HEAD"});
  only(asked, {});
  return Question{};
}

routed route_or_throw(request& asked) {
  const auto& path = asked.segments;
  if (path.size() == 1) {
    if (path[0] == "put") return put_text(asked);
    if (path[0] == "get") return get_bare(asked);
    if (path[0] == "remove") return remove_bare(asked);
    if (path[0] == "status") return simple<ask_status>(asked);
    if (path[0] == "livez") return simple<ask_liveness>(asked);
    if (path[0] == "readyz") return simple<ask_readiness>(asked);
  }
  if (path.size() == 2 && path[0] == "v1" && path[1] == "snapshot") {
    allow(asked, {"POST"});
    only(asked, {"timeout"});
    return ask_snapshot{timeout_of(asked, default_snapshot_timeout)};
  }
  if (path.size() == 2 && path[0] == "v1" && path[1] == "backup") {
    allow(asked, {"GET"}); // no HEAD: it would write a file to show its length
    only(asked, {"timeout"});
    return ask_backup{timeout_of(asked)};
  }
  if (path.size() == 3 && path[0] == "v1" && path[1] == "restore") return restore(asked);
  if ((path.size() == 2 || path.size() == 3) && path[0] == "v1" && path[1] == "members") return members(asked);
  if (path.size() == 2 && path[0] == "v1" && path[1] == "transfer") return transfer(asked);
  if (path.size() > 2 && path[0] == "v1" && path[1] == "maps") {
    if (path.size() == 3) return list(asked);
    if (path.size() == 4) return one_key(asked);
    if (path.size() == 5 && path[4] == "cas") return swap(asked);
  }
  throw refusal{404, "not_found",
                "there is nothing at this path (a slash inside a map's name or a key is written %2F)"};
}

} // namespace

http::admission admit(const std::string& method, const http::target& at) {
  const auto& path = at.segments;
  if (path.size() == 1) return {max_small_body, path[0] == "livez" || path[0] == "readyz"};
  if (path.size() < 3 || path[0] != "v1") return {max_small_body};
  const bool of_map = path[1] == "maps";
  if (of_map && path.size() == 4 && method == "PUT") return {max_value_text};
  if (of_map && path.size() == 5 && path[4] == "cas" && method == "POST") return {2 * max_value_text};
  if (path.size() == 3 && path[1] == "restore" && method == "PUT") return {max_backup_piece};
  return {max_small_body};
}

routed route(request&& asked) {
  try {
    return route_or_throw(asked);
  } catch (const refusal& why) {
    auto answer = http::error_response(why.status, why.code, why.message);
    answer.allow = why.methods;
    return answer;
  }
}

} // namespace troupe::webserver
