// Routing of requests: parameters, bodies, and their limits.
#include "examples/webserver/api.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <string>
#include <variant>
#include <vector>

using namespace troupe;
using namespace troupe::webserver;
using Catch::Contains;

namespace {

http::request make(const std::string& method, const std::string& target, std::string body = {}) {
  http::request out;
  auto at = http::parse_target(target).value();
  out.method = method;
  out.target = target;
  out.segments = std::move(at.segments);
  out.query = std::move(at.query);
  out.body = std::move(body);
  return out;
}

/// The body of the error response; "accepted" if there is none.
std::string rejection(const std::string& method, const std::string& target, std::string body = {}) {
  const auto what = route(make(method, target, std::move(body)));
  const auto* answer = std::get_if<http::response>(&what);
  if (!answer) return "accepted";
  CHECK(answer->status == 400);
  return answer->body;
}

std::size_t most(const std::string& method, const std::string& target) {
  return admit(method, http::parse_target(target).value()).max_body;
}

} // namespace

TEST_CASE("every route rejects an unknown parameter and names the known ones", "[api]") {
  for (const auto& [method, target, names] : std::vector<std::array<std::string, 3>>{
           {"POST", "/put?map=m&key=k&value=v", "map, key, value, timeout"},
           {"GET", "/get?map=m&key=k", "map, key, timeout, level"},
           {"POST", "/remove?map=m&key=k", "map, key, timeout"},
           {"GET", "/v1/maps/m?limit=1", "limit, after, timeout, level"},
           {"GET", "/v1/maps/m/k?level=stale", "timeout, level"},
           {"PUT", "/v1/maps/m/k?timeout=1s", "timeout"},
           {"DELETE", "/v1/maps/m/k?timeout=1s", "timeout"},
           {"POST", "/v1/maps/m/k/cas?timeout=1s", "timeout"},
           {"GET", "/v1/backup?timeout=1s", "timeout"},
           {"POST", "/v1/members?timeout=1s", "timeout"},
           {"DELETE", "/v1/members/0000000000000001?based_on=1", "timeout, based_on"},
           {"POST", "/v1/transfer?timeout=1s", "to, timeout"},
           {"GET", "/v1/members?", "takes no parameters"},
           {"POST", "/v1/snapshot?timeout=1s", "timeout"},
           {"GET", "/status?", "takes no parameters"},
           {"GET", "/livez?", "takes no parameters"},
           {"GET", "/readyz?", "takes no parameters"},
           {"PUT", "/v1/restore/0000000000000001-0000000000000001-0000000000000001-0000000000000001?offset=1",
            "offset, timeout"},
           {"POST", "/v1/restore/0000000000000001-0000000000000001-0000000000000001-0000000000000001?timeout=1s",
            "timeout"}}) {
    INFO(method << " " << target);
    CHECK_THAT(rejection(method, target + "&tiemout=1s", "1"), Contains("tiemout") && Contains(names));
    const auto end = target.find('?');
    if (end + 1 < target.size())
      CHECK_THAT(rejection(method, target + "&" + target.substr(end + 1), "1"), Contains("is given twice"));
  }
}

TEST_CASE("each route has a limit for its body", "[api]") {
  CHECK(most("PUT", "/v1/maps/m/k") == 4 << 20);
  CHECK(most("POST", "/v1/maps/m/k/cas") == 8 << 20);
  CHECK(most("PUT", "/v1/restore/x") == 1 << 20);
  for (const auto* target : {"/", "/put", "/v1/members", "/v1/members/x", "/v1/maps/m", "/v1/maps/m/k/other",
                             "/nothing", "/v2/maps/m/k", "/v1/maps/m/k/cas/more"})
    CHECK(most("PUT", target) == 64 << 10);
  CHECK(most("GET", "/v1/maps/m/k") == 64 << 10);
  CHECK(most("PUT", "/v1/maps/m/k/cas") == 64 << 10);
  const auto probe = [](const char* target) { return admit("GET", http::parse_target(target).value()).probe; };
  CHECK(probe("/livez"));
  CHECK(probe("/readyz"));
  CHECK_FALSE(probe("/status"));
  CHECK_FALSE(probe("/v1/maps/livez"));
}

TEST_CASE("bodies are checked against the limit of a value", "[api]") {
  const std::string fits = "\"" + std::string((1 << 20) - 5, 'x') + "\"";
  const std::string too_large = "\"" + std::string((1 << 20) - 4, 'x') + "\"";
  CHECK(rejection("PUT", "/v1/maps/m/k", fits) == "accepted");
  CHECK_THAT(rejection("PUT", "/v1/maps/m/k", too_large), Contains("larger than 1 MiB"));
  CHECK(rejection("POST", "/v1/maps/m/k/cas", "{\"expected\":" + fits + ",\"value\":" + fits + "}") == "accepted");
  CHECK_THAT(rejection("POST", "/v1/maps/m/k/cas", "{\"expected\":" + too_large + ",\"value\":1}"),
             Contains("larger than"));
  CHECK_THAT(rejection("POST", "/v1/maps/m/k/cas", "{\"expected\":1,\"value\":" + too_large + "}"),
             Contains("larger than"));
  CHECK_THAT(rejection("POST", "/v1/maps/m/k/cas", "{\"expected\":1,\"value\":null}"), Contains("null"));
  CHECK_THAT(rejection("POST", "/v1/maps/m/k/cas", "{\"expected\":1}"), Contains("lacks 'value'"));
  CHECK_THAT(rejection("POST", "/v1/maps/m/k/cas", "{\"expected\":1,\"value\":1,\"value\":1}"), Contains("each once"));
  CHECK_THAT(rejection("POST", "/v1/maps/m/k/cas", "[]"), Contains("not a JSON object"));
}

TEST_CASE("an error answer quotes little of the request", "[api]") {
  const std::string much(60'000, 'q');
  for (const auto& answer :
       {rejection("PUT", "/v1/maps/m/k", "\"" + much), rejection("PUT", "/v1/maps/m/k", much),
        rejection("PUT", "/v1/maps/m/k", "[" + std::string(60'000, '7') + "]"),
        rejection("POST", "/v1/members", "{\"" + much + "\": 1}"),
        rejection("POST", "/v1/members", "{\"id\": \"" + much + "\"}"),
        rejection("POST", "/v1/maps/m/k/cas", "{\"" + much + "\": 1}"), rejection("GET", "/status?" + much + "=1"),
        rejection("GET", "/get?map=m&key=k&timeout=" + much), rejection("DELETE", "/v1/members/" + much),
        rejection("GET", "/get?map=m&key=k&level=" + much), rejection("POST", "/v1/transfer?to=" + much)}) {
    const auto quoted = static_cast<std::size_t>(std::count(answer.begin(), answer.end(), 'q'));
    CHECK(quoted <= 200);
    CHECK(answer.size() < 600);
  }
}
