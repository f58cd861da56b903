// Fuzzes the routing of HTTP requests to the node: any target, query and body.
#include "examples/webserver/api.hpp"
#include "examples/webserver/duration.hpp"
#include "tests/fuzz/target.hpp"

#include <array>
#include <troupe/http/target.hpp>

using namespace troupe;

namespace {

void try_escapes(std::string_view text) {
  for (const bool plus_is_space : {false, true})
    if (const auto plain = http::percent_decode(text, plus_is_space))
      fuzz::check(http::percent_decode(http::percent_encode(*plain), plus_is_space) == plain,
                  "an escaped text decodes as a different one");
}

} // namespace

/// The first byte selects the method. The target ends at the first line break, and the body follows.
void troupe::fuzz::try_input(std::string_view bytes) {
  constexpr std::array methods{"GET", "PUT", "POST", "DELETE", "HEAD", "PATCH"};
  if (bytes.empty()) return;
  http::request asked;
  asked.method = methods[static_cast<unsigned char>(bytes.front()) % methods.size()];
  bytes.remove_prefix(1);
  const auto line = bytes.substr(0, bytes.find('\n'));
  try_escapes(line);
  static_cast<void>(webserver::parse_duration(line));
  asked.target = line;
  if (line.size() < bytes.size()) asked.body = bytes.substr(line.size() + 1);
  auto parsed = http::parse_target(line);
  if (!parsed) return;
  check(!parsed->segments.empty(), "a target without a segment");
  asked.segments = std::move(parsed->segments);
  asked.query = std::move(parsed->query);
  const auto sent = asked.body.size();
  const auto routed = webserver::route(std::move(asked));
  if (const auto* refused = std::get_if<http::response>(&routed)) {
    check(refused->status >= 200 && refused->status < 600, "a status that HTTP does not have");
    // An error must not return the whole request.
    check(refused->status < 400 || refused->body.size() < 4096 || sent < 4096, "an error as long as the request");
  }
}

std::vector<std::string> troupe::fuzz::seeds() {
  const std::string get(1, '\0'), put(1, '\1'), post(1, '\2'), erase(1, '\3');
  return {get + "/v1/maps/users/ada?level=stale&timeout=5s",
          get + "/v1/maps/users?after=ada&limit=10",
          put + "/v1/maps/users/ada?if_revision=3\n{\"born\": 1815}",
          put + "/v1/maps/a%2Fb/%00?ttl=1s\n[1,2.5,null]",
          post + "/v1/maps/users/ada/cas\n{\"expected\": null, \"value\": {\"$bin\": \"AAE=\"}}",
          erase + "/v1/maps/users/ada?if_revision=18446744073709551616",
          get + "/v1/members",
          post + "/v1/members\n{\"id\": \"0000000000000001\", \"address\": \"[::1]:5000\", \"replaces\": "
                 "\"0000000000000002\", "
                 "\"based_on\": {\"term\": 1, \"index\": 1}}",
          erase + "/v1/members/0000000000000001?timeout=100ms",
          post + "/v1/leader/0000000000000001",
          post + "/v1/snapshot",
          get + "/v1/backup?timeout=3600s",
          put + "/v1/restore/0000000000000005-0000000000000001-0000000000000064-00000000000000ff?offset=0\nbytes",
          post + "/v1/restore/0000000000000005-0000000000000001-0000000000000064-00000000000000ff?timeout=300s",
          get + "/status",
          get + "/livez",
          get + "/readyz",
          get + "http://host:8001/v1/members?a=b+c&d",
          get + "*"};
}

std::vector<std::string> troupe::fuzz::words() {
  return {"/v1/",
          "maps/",
          "members/",
          "restore/",
          "backup",
          "snapshot",
          "leader/",
          "transfer",
          "level=stale",
          "timeout=",
          "5s",
          "100ms",
          "offset=",
          "limit=",
          "after=",
          "prefix=",
          "?",
          "&",
          "%2F",
          "%00",
          "%",
          "\"id\":",
          "\"address\":",
          "\"replaces\":",
          "\"based_on\":",
          "\"value\":",
          "\"expected\":",
          "\"index\":",
          "\"term\":",
          "{}",
          "null",
          "if_revision="};
}
