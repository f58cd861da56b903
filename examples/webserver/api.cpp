#include "examples/webserver/api.hpp"

#include "examples/webserver/duration.hpp"

#include <algorithm>
#include <charconv>
#include <functional>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>
#include <troupe/json.hpp>
#include <troupe/printable.hpp>
#include <utility>

namespace troupe::webserver {
namespace {

using http::request;
using http::response;

/// Thrown while a request is routed; `route` turns it into an error response.
struct request_error {
  unsigned status;
  std::string code;
  std::string message;
  /// The value of the Allow header of a 405 response.
  std::string methods = {};
};

[[noreturn]] void bad_request(std::string message) { throw request_error{400, "bad_request", std::move(message)}; }

void allow_methods(const request& req, std::initializer_list<std::string_view> methods) {
  if (std::find(methods.begin(), methods.end(), req.method) != methods.end()) return;
  std::string allowed;
  for (const auto method : methods) allowed.append(allowed.empty() ? "" : ", ").append(method);
  throw request_error{405, "method_not_allowed",
                      "method " + printable(req.method) + " is not allowed here; allowed: " + allowed, allowed};
}

// -- parts of a request

/// Rejects unknown parameters: a misspelt name would otherwise silently give the default.
void allow_parameters(const request& req, std::initializer_list<std::string_view> known) {
  std::string allowed;
  for (const auto name : known) allowed.append(allowed.empty() ? "" : ", ").append(name);
  for (auto one = req.query.begin(); one != req.query.end(); ++one) {
    const auto& name = one->first;
    if (std::find(known.begin(), known.end(), name) == known.end())
      bad_request("unknown parameter " + printable(name) + "; " +
                  (allowed.empty() ? "this path takes no parameters" : "allowed: " + allowed));
    if (std::any_of(req.query.begin(), one, [&](const auto& before) { return before.first == name; }))
      bad_request("the parameter '" + name + "' is given twice");
  }
}

std::string parameter(const request& req, std::string_view name) {
  const auto found = req.parameter(name);
  if (!found) bad_request("the parameter '" + std::string{name} + "' is missing");
  return std::string{*found};
}

std::chrono::milliseconds timeout_of(const request& req, std::chrono::milliseconds fallback = default_timeout) {
  const auto text = req.parameter("timeout");
  if (!text) return fallback;
  const auto timeout = parse_duration(*text);
  if (!timeout) bad_request("invalid timeout " + printable(*text) + ": expected " + duration_form);
  return *timeout;
}

bool wants_stale(const request& req) {
  const auto level = req.parameter("level").value_or("linearizable");
  if (level != "linearizable" && level != "stale") bad_request("invalid level: expected 'linearizable' or 'stale'");
  return level == "stale";
}

std::uint64_t number_of(const request& req, std::string_view name, std::uint64_t fallback) {
  const auto text = req.parameter(name);
  if (!text) return fallback;
  std::uint64_t number = 0;
  const auto [end, failed] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (failed != std::errc{} || end != text->data() + text->size())
    bad_request("the parameter '" + std::string{name} + "' must be a non-negative whole number");
  return number;
}

/// Checks the size of a map's name or a key. The service checks it again; this check keeps useless commands out of the
/// log.
std::string checked_name(std::string text) {
  if (text.size() > map::max_key_size) bad_request("a map's name or a key is larger than 4 KiB");
  return text;
}

/// The members of the JSON object in the body; each may take up to `most` bytes in MessagePack.
std::vector<std::pair<std::string, value>> json_members(const request& req, std::size_t most) {
  std::string why;
  auto members = members_from_json(req.body, &why, most);
  if (!members) bad_request("invalid body: " + why);
  return std::move(*members);
}

/// Checks a value that is to be stored.
value storable(value given) {
  if (given.is_nil()) bad_request("a null value cannot be stored; remove the key instead");
  if (given.size() > map::max_value_size) bad_request("the value is larger than 1 MiB");
  return given;
}

value storable_json(std::string_view text) {
  std::string why;
  auto parsed = from_json(text, &why, map::max_value_size);
  if (!parsed) bad_request("invalid body: " + why);
  return storable(std::move(*parsed));
}

// -- results

response ok(std::string body) { return {200, "application/json", std::move(body)}; }

std::string json_or_null(const std::optional<value>& shown) { return shown ? to_json(*shown) : "null"; }

const char* json_bool(bool b) { return b ? "true" : "false"; }

template <class Result> response null_body(const Result&) { return ok("null"); }

response bare_value(const map::get_result& found) { return ok(json_or_null(found.value)); }

response revision(const map::put_result& done) { return ok("{\"revision\":" + std::to_string(done.revision) + "}"); }

response value_and_revision(const map::get_result& found) {
  if (!found.value) return http::error_response(404, "not_found", "the key does not exist");
  return ok("{\"value\":" + to_json(*found.value) + ",\"revision\":" + std::to_string(found.revision) + "}");
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
    append_json_string(body, key);
  }
  return ok(body + "],\"more\":" + json_bool(found.more) + "}");
}

// -- routes

routed put_text(const request& req) {
  allow_methods(req, {"POST"});
  allow_parameters(req, {"map", "key", "value", "timeout"});
  return call<map::put>{{checked_name(parameter(req, "map")), checked_name(parameter(req, "key")),
                         storable(value::of(parameter(req, "value")))},
                        timeout_of(req),
                        false,
                        null_body};
}

routed get_bare(const request& req) {
  allow_methods(req, {"GET", "HEAD"});
  allow_parameters(req, {"map", "key", "timeout", "level"});
  return call<map::get>{{checked_name(parameter(req, "map")), checked_name(parameter(req, "key"))},
                        timeout_of(req),
                        wants_stale(req),
                        bare_value};
}

routed remove_bare(const request& req) {
  allow_methods(req, {"POST"});
  allow_parameters(req, {"map", "key", "timeout"});
  return call<map::remove>{
      {checked_name(parameter(req, "map")), checked_name(parameter(req, "key"))}, timeout_of(req), false, null_body};
}

routed list(request& req) {
  allow_methods(req, {"GET", "HEAD"});
  allow_parameters(req, {"limit", "after", "timeout", "level"});
  map::list_keys message{checked_name(std::move(req.segments[2])), number_of(req, "limit", map::max_listed_keys)};
  if (const auto after = req.parameter("after")) message.after = checked_name(std::string{*after});
  return call<map::list_keys>{std::move(message), timeout_of(req), wants_stale(req), listing};
}

routed one_key(request& req) {
  allow_methods(req, {"GET", "HEAD", "PUT", "DELETE"});
  auto map = checked_name(std::move(req.segments[2]));
  auto key = checked_name(std::move(req.segments[3]));
  const bool reads = req.method == "GET" || req.method == "HEAD";
  reads ? allow_parameters(req, {"timeout", "level"}) : allow_parameters(req, {"timeout"});
  const auto timeout = timeout_of(req);
  if (req.method == "PUT")
    return call<map::put>{{std::move(map), std::move(key), storable_json(req.body)}, timeout, false, revision};
  if (req.method == "DELETE") return call<map::remove>{{std::move(map), std::move(key)}, timeout, false, removed};
  return call<map::get>{{std::move(map), std::move(key)}, timeout, wants_stale(req), value_and_revision};
}

routed swap(request& req) {
  allow_methods(req, {"POST"});
  allow_parameters(req, {"timeout"});
  std::optional<value> expected, replacement;
  for (auto& [member, given] : json_members(req, map::max_value_size)) {
    auto* target = member == "expected" ? &expected : member == "value" ? &replacement : nullptr;
    if (!target || *target)
      bad_request("the body must have the members 'expected' and 'value', each once, and no others");
    *target = std::move(given);
  }
  if (!expected) bad_request("the body lacks 'expected'");
  if (!replacement) bad_request("the body lacks 'value'");
  return call<map::compare_and_swap>{{checked_name(std::move(req.segments[2])),
                                      checked_name(std::move(req.segments[3])), std::move(expected),
                                      storable(std::move(*replacement))},
                                     timeout_of(req),
                                     false,
                                     swapped};
}

routed restore(request& req) {
  allow_methods(req, {"PUT", "POST"});
  const auto backup = parse_snapshot_id(req.segments[2]);
  if (!backup)
    bad_request(
        "invalid backup id: expected index, term, size and checksum, each as 16 hexadecimal digits, joined by '-'");
  req.method == "POST" ? allow_parameters(req, {"timeout"}) : allow_parameters(req, {"offset", "timeout"});
  if (req.method == "POST") return ask_restore{*backup, timeout_of(req, default_restore_timeout)};
  if (req.body.size() > max_backup_chunk) bad_request("the chunk of a backup is larger than 1 MiB");
  return put_backup{*backup, number_of(req, "offset", 0), std::move(req.body), timeout_of(req, default_chunk_timeout)};
}

node_id node_of(std::string_view text) {
  const auto id = parse_node_id(text);
  if (!id) bad_request("invalid node id " + printable(text) + ": expected 16 hexadecimal digits");
  return *id;
}

/// Calls `take` for each member of the JSON object in the body. `take` returns false for a member that it does not
/// know, which is an error.
void read_object(const request& req, const std::function<bool(const std::string&, const value&)>& take) {
  for (const auto& [member, given] : json_members(req, max_small_body))
    if (!take(member, given)) bad_request("unknown member in the body: " + printable(member));
}

std::string text_of(const value& given, const std::string& member) {
  const auto text = given.as<std::string>();
  if (!text) bad_request("'" + member + "' must be a string");
  return *text;
}

bool flag_of(const value& given, const std::string& member) {
  const auto flag = given.as<bool>();
  if (!flag) bad_request("'" + member + "' must be true or false");
  return *flag;
}

std::uint64_t whole_number_of(const value& given, const std::string& member) {
  const auto number = given.as<std::uint64_t>();
  if (!number) bad_request("'" + member + "' must be a non-negative whole number");
  return *number;
}

routed add_member(const request& req) {
  addition one;
  change_membership question{{}, {}, 0, timeout_of(req)};
  read_object(req, [&](const std::string& member, const value& given) {
    if (member == "id")
      one.who.id = node_of(text_of(given, member));
    else if (member == "address")
      one.who.address = text_of(given, member);
    else if (member == "replaces")
      one.replaces = node_of(text_of(given, member));
    else if (member == "voter")
      one.votes = flag_of(given, member);
    else if (member == "based_on")
      question.based_on = whole_number_of(given, member);
    else
      return false;
    return true;
  });
  if (!one.who.id) bad_request("the body lacks 'id'");
  if (one.who.address.empty()) bad_request("the body lacks 'address' (host:port)");
  question.add.push_back(std::move(one));
  return question;
}

routed members(const request& req) {
  if (req.segments.size() == 2) {
    allow_methods(req, {"GET", "HEAD", "POST"});
    req.method == "POST" ? allow_parameters(req, {"timeout"}) : allow_parameters(req, {});
    if (req.method == "POST") return add_member(req);
    return ask_members{};
  }
  allow_methods(req, {"DELETE"});
  allow_parameters(req, {"timeout", "based_on"});
  change_membership question{{}, {}, 0, timeout_of(req)};
  question.remove.push_back(node_of(req.segments[2]));
  question.based_on = number_of(req, "based_on", 0);
  return question;
}

routed transfer(const request& req) {
  allow_methods(req, {"POST"});
  allow_parameters(req, {"to", "timeout"});
  ask_transfer question{{}, timeout_of(req)};
  if (const auto to = req.parameter("to")) question.to = node_of(*to);
  return question;
}

template <class Question> routed simple(const request& req) {
  allow_methods(req, {"GET", "HEAD"});
  allow_parameters(req, {});
  return Question{};
}

routed route_or_throw(request& req) {
  const auto& path = req.segments;
  if (path.size() == 1) {
    if (path[0] == "put") return put_text(req);
    if (path[0] == "get") return get_bare(req);
    if (path[0] == "remove") return remove_bare(req);
    if (path[0] == "status") return simple<ask_status>(req);
    if (path[0] == "livez") return simple<ask_liveness>(req);
    if (path[0] == "readyz") return simple<ask_readiness>(req);
  }
  if (path.size() == 2 && path[0] == "v1" && path[1] == "snapshot") {
    allow_methods(req, {"POST"});
    allow_parameters(req, {"timeout"});
    return ask_snapshot{timeout_of(req, default_snapshot_timeout)};
  }
  if (path.size() == 2 && path[0] == "v1" && path[1] == "backup") {
    allow_methods(req, {"GET"}); // no HEAD: it would have to write the whole file to report its length
    allow_parameters(req, {"timeout"});
    return ask_backup{timeout_of(req)};
  }
  if (path.size() == 3 && path[0] == "v1" && path[1] == "restore") return restore(req);
  if ((path.size() == 2 || path.size() == 3) && path[0] == "v1" && path[1] == "members") return members(req);
  if (path.size() == 2 && path[0] == "v1" && path[1] == "transfer") return transfer(req);
  if (path.size() > 2 && path[0] == "v1" && path[1] == "maps") {
    if (path.size() == 3) return list(req);
    if (path.size() == 4) return one_key(req);
    if (path.size() == 5 && path[4] == "cas") return swap(req);
  }
  throw request_error{404, "not_found",
                      "no resource at this path (a slash inside a map's name or a key must be encoded as %2F)"};
}

} // namespace

http::admission admit(const std::string& method, const http::target& at) {
  const auto& path = at.segments;
  if (path.size() == 1) return {max_small_body, path[0] == "livez" || path[0] == "readyz"};
  if (path.size() < 3 || path[0] != "v1") return {max_small_body};
  const bool of_map = path[1] == "maps";
  if (of_map && path.size() == 4 && method == "PUT") return {max_value_text};
  if (of_map && path.size() == 5 && path[4] == "cas" && method == "POST") return {2 * max_value_text};
  if (path.size() == 3 && path[1] == "restore" && method == "PUT") return {max_backup_chunk};
  return {max_small_body};
}

routed route(request&& req) {
  try {
    return route_or_throw(req);
  } catch (const request_error& why) {
    auto answer = http::error_response(why.status, why.code, why.message);
    answer.allow = why.methods;
    return answer;
  }
}

} // namespace troupe::webserver
