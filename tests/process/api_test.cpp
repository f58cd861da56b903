// Tests every route, status code and limit of the HTTP API, through a follower.
#include "tests/process/cluster.hpp"
#include "tests/unit/http/wire.hpp"

#include <catch2/catch.hpp>

#include <set>
#include <troupe/http/target.hpp>

using namespace troupe::testing;
using troupe::http::percent_encode;
using namespace std::chrono_literals;

namespace {

/// One cluster for all test cases. Each test case uses its own map. Requests go to a follower.
class api {
 public:
  static api& get() {
    static api shared;
    return shared;
  }

  troupe::http::result call(std::string_view method, const std::string& target, std::string_view body = {}) {
    return connection_.request(method, target, body);
  }
  server& asked() { return nodes_[follower_]; }
  cluster& nodes() { return nodes_; }

 private:
  api() : follower_(nodes_.follower()), connection_(nodes_[follower_].connect()) {}

  ready_cluster nodes_{3, lifetime::program};
  std::size_t follower_;
  troupe::http::client connection_;
};

auto call(std::string_view method, const std::string& target, std::string_view body = {}) {
  return api::get().call(method, target, body);
}

void check_ok(std::string_view method, const std::string& target, std::string_view body, const std::string& expected) {
  const auto answer = call(method, target, body);
  CAPTURE(method, target.substr(0, 100), body.substr(0, 100));
  CHECK(answer.status == 200);
  CHECK(answer.body == expected);
  CHECK(answer.content_type == "application/json");
}

/// Checks that the response is an error in the common form.
void check_error(std::string_view method, const std::string& target, std::string_view body, unsigned status) {
  const auto answer = call(method, target, body);
  CAPTURE(method, target.substr(0, 100), body.substr(0, 100), answer.body);
  CHECK(answer.status == status);
  CHECK(answer.content_type == "application/json");
  const auto error = json::parse(answer.body);
  std::set<std::string> members;
  for (const auto& [name, value] : error.items()) members.insert(name);
  CHECK(members == std::set<std::string>{"error", "leader", "message", "outcome", "retryable"});
  CHECK(error["outcome"] == "rejected");
  CHECK(error["retryable"] == false);
  CHECK(!error["error"].get<std::string>().empty());
  CHECK(!error["message"].get<std::string>().empty());
}

/// Writes a value and returns its revision.
std::uint64_t put(const std::string& path, std::string_view body) {
  const auto answer = call("PUT", "/v1/maps/" + path, body);
  CAPTURE(path.substr(0, 100), body.substr(0, 100), answer.body);
  REQUIRE(answer.status == 200);
  const auto result = json::parse(answer.body);
  CHECK(result.size() == 1);
  return result.at("revision").get<std::uint64_t>();
}

/// Writes a value and expects to read it back as `shown`.
void check_kept(const std::string& path, const std::string& written, const std::string& shown) {
  const auto revision = put(path, written);
  check_ok("GET", "/v1/maps/" + path, "", "{\"value\":" + shown + ",\"revision\":" + std::to_string(revision) + "}");
}

std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

} // namespace

TEST_CASE("/put, /get, /remove") {
  check_ok("GET", "/get?map=plain&key=k", "", "null");
  check_ok("POST", "/put?map=plain&key=k&value=hello", "", "null");
  check_ok("GET", "/get?map=plain&key=k", "", R"("hello")");
  check_ok("POST", "/put?map=plain&key=k&value=42", "", "null"); // stored as a string
  check_ok("GET", "/get?map=plain&key=k", "", R"("42")");
  check_ok("POST", "/put?map=plain&key=k&value=", "", "null");
  check_ok("GET", "/get?map=plain&key=k", "", R"("")");
  check_ok("POST", "/put?map=plain&key=&value=a%20b+c%2B%22", "", "null");
  check_ok("GET", "/get?map=plain&key=", "", R"("a b c+\"")");
  check_ok("POST", "/put?map=plain&key=" + percent_encode("zoë") + "&value=" + percent_encode("日本"), "", "null");
  check_ok("GET", "/get?map=plain&key=zo%C3%AB", "", "\"日本\"");
  check_ok("POST", "/put?map=plain&key=%00%ff&value=%00%ff", "", "null");
  check_ok("GET", "/get?map=plain&key=%00%ff", "", R"({"$bin":"AP8=","$str":true})");
  put("plain/j", R"({"a":[1,null]})");
  check_ok("GET", "/get?map=plain&key=j", "", R"({"a":[1,null]})");
  check_ok("POST", "/remove?map=plain&key=k", "", "null");
  check_ok("POST", "/remove?map=plain&key=k", "", "null");
  check_ok("GET", "/get?map=plain&key=k", "", "null");
}

TEST_CASE("keys under /v1/maps") {
  check_error("GET", "/v1/maps/v1/k", "", 404);
  check_kept("v1/k", "1", "1");
  check_kept("v1/k", " [1, {\"a\": 2}] ", R"([1,{"a":2}])");
  check_kept("v1/", "\"empty key\"", "\"empty key\"");
  check_kept("/k", "\"empty map\"", "\"empty map\"");
  check_kept("v1/a%2Fb", "\"slash\"", "\"slash\"");
  check_kept("v1/a+b", "\"plus\"", "\"plus\"");
  check_kept("v1/%00%ff%FE", "\"binary\"", "\"binary\"");
  check_kept("v1/" + percent_encode("schlüssel 日本"), "\"UTF-8\"", "\"UTF-8\"");
  check_kept("v1/cas", "\"a key named cas\"", "\"a key named cas\"");
  check_ok("DELETE", "/v1/maps/v1/k", "", R"({"removed":true})");
  check_ok("DELETE", "/v1/maps/v1/k", "", R"({"removed":false})");
  check_error("GET", "/v1/maps/v1/k", "", 404);
}

TEST_CASE("the revision is the same on every node and grows with each write") {
  const auto first = put("rev/k", "1");
  const auto second = put("rev/k", "2");
  CHECK(second > first);
  auto& nodes = api::get().nodes();
  const auto expected = "{\"value\":2,\"revision\":" + std::to_string(second) + "}";
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    CHECK(nodes[i].call("GET", "/v1/maps/rev/k").body == expected);
    CHECK(nodes[i].call("GET", "/v1/maps/rev/k?level=linearizable").body == expected);
    CHECK(nodes[i].call("GET", "/v1/maps/rev/k?level=stale").body == expected); // applied by the read before
  }
  check_error("GET", "/v1/maps/rev/k?level=fresh", "", 400);
}

TEST_CASE("values") {
  for (const auto* value : {"true", "0", "-1", "18446744073709551615", "-9223372036854775808", "1.5", "1.0", "\"\"",
                            "[]", "{}", R"([null,[null]])", R"("\u0000\u000a\"\\é日")", R"({"$bin":"AAE="})",
                            R"({"$bin":"","$ext":5})", R"([{"$bin":"/w==","$str":true}])"})
    check_kept("values/k", value, value);
  check_kept("values/k", R"("\u00e9\ud83d\ude00")", "\"é😀\"");
  check_kept("values/k", R"({"bb":1,"a":2})", R"({"a":2,"bb":1})");
  check_kept("values/k", "1e2", "100.0");
  check_kept("values/k", nested(64), nested(64));
  for (const auto& value : std::vector<std::string>{"", "nul", "{", "[1,]", "1 2", "'a'", "{\"a\":1,\"a\":2}", "{1:2}",
                                                    "NaN", "Infinity", "1e999", "18446744073709551616", "\"\xff\"",
                                                    nested(65), std::string(100'000, '['), std::string("1\0", 2)})
    check_error("PUT", "/v1/maps/values/bad", value, 400);
  check_error("GET", "/v1/maps/values/bad", "", 404);
}

TEST_CASE("null is refused") {
  put("nulls/k", "1");
  check_error("PUT", "/v1/maps/nulls/k", "null", 400);
  check_error("PUT", "/v1/maps/nulls/k", " null ", 400);
  check_error("POST", "/v1/maps/nulls/k/cas", R"({"expected":1,"value":null})", 400);
  check_ok("GET", "/get?map=nulls&key=k", "", "1");
}

TEST_CASE("compare and swap") {
  const std::string path = "/v1/maps/cas/k/cas";
  check_ok("POST", path, R"({"expected":1,"value":2})", R"({"swapped":false,"current":null})");
  check_ok("POST", path, R"({"expected":null,"value":{"b":1,"a":[1]}})",
           R"({"swapped":true,"current":{"a":[1],"b":1}})");
  check_ok("POST", path, R"({"expected":null,"value":2})", R"({"swapped":false,"current":{"a":[1],"b":1}})");
  check_ok("POST", path, R"( { "value" : 1, "expected" : {"a": [1], "b": 1} } )", R"({"swapped":true,"current":1})");
  check_ok("POST", path, R"({"expected":1.0,"value":2})", R"({"swapped":false,"current":1})");
  check_ok("POST", path, R"({"\u0065xpected":1,"value":"}],{"})", R"({"swapped":true,"current":"}],{"})");
  check_ok("POST", path, R"({"expected":"}],{","value":)" + nested(64) + "}",
           R"({"swapped":true,"current":)" + nested(64) + "}");
  check_ok("POST", path, R"({"expected":)" + nested(64) + R"(,"value":{"$bin":"AAE="}})",
           R"({"swapped":true,"current":{"$bin":"AAE="}})");
  check_ok("POST", "/v1/maps/cas//cas", R"({"expected":null,"value":1})", R"({"swapped":true,"current":1})");
  for (const auto& body : std::vector<std::string>{
           "", "null", "[]", "{}", R"({"value":1})", R"({"expected":1})", R"({"expected":1,"value":2,"more":3})",
           R"({"expected":1,"expected":1,"value":2})", R"({"expected":1,"value":})", R"({"expected":1,"value":2)",
           R"({"expected":1,"value":2}})", R"({"expected":1,"value":2,})", R"({"expected" 1,"value":2})",
           R"({expected:1,"value":2})", R"({"expected":[1},"value":2})",
           R"({"expected":1,"value":)" + nested(65) + "}"})
    check_error("POST", path, body, 400);
}

TEST_CASE("keys are listed in byte order") {
  check_ok("GET", "/v1/maps/list", "", R"({"keys":[],"more":false})");
  for (const auto* key : {"b", "", "a%2Fb", "%C3%A9", "%ff"}) put("list/" + std::string{key}, "1");
  check_ok("GET", "/v1/maps/list", "", R"({"keys":["","a/b","b","é",{"$bin":"/w==","$str":true}],"more":false})");
  check_ok("GET", "/v1/maps/list?limit=2", "", R"({"keys":["","a/b"],"more":true})");
  check_ok("GET", "/v1/maps/list?limit=2&after=a/b", "", R"({"keys":["b","é"],"more":true})");
  check_ok("GET", "/v1/maps/list?level=stale&limit=1000000", "",
           R"({"keys":["","a/b","b","é",{"$bin":"/w==","$str":true}],"more":false})");
  for (const auto* limit : {"", "-1", "x", "1x", "99999999999999999999"})
    check_error("GET", "/v1/maps/list?limit=" + std::string{limit}, "", 400);
}

TEST_CASE("limits of size") {
  const std::string longest(4096, 'k');
  check_kept("sizes/" + longest, "1", "1");
  check_kept(longest + "/" + longest, "1", "1");
  check_kept("sizes/" + percent_encode(std::string(4096, '\xff')), "1", "1");
  check_error("PUT", "/v1/maps/sizes/" + longest + "k", "1", 400);
  check_error("GET", "/v1/maps/sizes/" + longest + "k", "", 400);
  check_error("DELETE", "/v1/maps/sizes/" + longest + "k", "", 400);
  check_error("GET", "/v1/maps/" + longest + "k", "", 400);
  check_error("POST", "/put?map=sizes&key=" + longest + "k&value=1", "", 400);

  constexpr std::size_t mebibyte = 1 << 20;
  const auto text = [](std::size_t size) { return "\"" + std::string(size, 'x') + "\""; };
  check_kept("sizes/v", text(mebibyte - 5), text(mebibyte - 5)); // msgpack's header of such a string is 5 bytes long
  check_error("PUT", "/v1/maps/sizes/v", text(mebibyte - 4), 400);
  check_error("PUT", "/v1/maps/sizes/v", text(3 * mebibyte), 400);
  check_error("PUT", "/v1/maps/sizes/v", text(5 * mebibyte), 413);
  check_error("POST", "/put?map=sizes&key=k&value=" + std::string(100'000, 'x'), "", 431);
}

TEST_CASE("wrong requests") {
  check_error("POST", "/put?map=m&key=k", "", 400);
  check_error("POST", "/put?map=m&value=v", "", 400);
  check_error("POST", "/put?key=k&value=v", "", 400);
  check_error("GET", "/get?map=m", "", 400);
  check_error("GET", "/get?key=k", "", 400);
  check_error("POST", "/remove?map=m", "", 400);
  check_error("GET", "/get?map=m&key=%zz", "", 400);
  for (const auto* timeout : {"", "5", "s", "0s", "-1s", "5m", "1.5s", "5s ", "99999s", "99999999999999999999ms"})
    check_error("GET", "/v1/maps/m/k?timeout=" + std::string{timeout}, "", 400);
  for (const auto* path :
       {"/", "/nothing", "/v1", "/v1/maps", "/v1/maps/m/k/other", "/v1/maps/m/k/cas/x", "/v2/maps/m/k"})
    check_error("GET", path, "", 404);
  check_error("GET", "/put?map=m&key=k&value=v", "", 405);
  check_error("POST", "/get?map=m&key=k", "", 405);
  check_error("POST", "/v1/maps/m/k", "1", 405);
  check_error("PUT", "/v1/maps/m", "1", 405);
  check_error("GET", "/v1/maps/m/k/cas", "", 405);
  check_error("POST", "/status", "", 405);
}

TEST_CASE("units of timeouts") {
  for (const auto* timeout : {"5s", "900ms", "1h"}) {
    const auto status = call("PUT", "/v1/maps/timeouts/k?timeout=" + std::string{timeout}, "1").status;
    CHECK(status == (std::string{timeout} == "1h" ? 400u : 200u));
  }
}

TEST_CASE("HEAD answers like GET without the body") {
  put("head/k", "1");
  troupe::http::testing::wire one{api::get().asked().http_port()};
  REQUIRE(one.send("HEAD /v1/maps/head/k HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"));
  const auto answer = one.read_all();
  CHECK(answer.starts_with("HTTP/1.1 200 "));
  CHECK(answer.ends_with("\r\n\r\n"));
}

TEST_CASE("/status, /livez and /readyz") {
  auto& nodes = api::get().nodes();
  const auto leader = nodes.wait_ready();
  const auto leading = nodes[leader].status();
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const auto status = nodes[i].status();
    INFO(status.dump());
    CHECK(status["id"].is_string());
    CHECK(status["cluster_id"] == leading["cluster_id"]);
    CHECK(status["role"] == (i == leader ? "leader" : "follower"));
    CHECK(status["term"] == leading["term"]);
    CHECK(status["leader"]["id"] == leading["id"]);
    CHECK(status["leader"]["address"] == "127.0.0.1:" + std::to_string(nodes[leader].raft_port()));
    CHECK(status["commit_index"].get<std::uint64_t>() > 0);
    CHECK(status["applied_index"].get<std::uint64_t>() > 0);
    CHECK(status["ready"] == true);
    CHECK(status["phase"] == "running");
    REQUIRE(status["members"].size() == 3);
    for (const auto& member : status["members"]) {
      CHECK(member["id"].is_string());
      CHECK(member["address"].is_string());
      CHECK(member["voter"] == true);
      CHECK(member["reachable"] == true);
    }
    CHECK(nodes[i].call("GET", "/livez").status == 200);
    const auto ready = nodes[i].call("GET", "/readyz");
    CHECK(ready.status == 200);
    CHECK(ready.content_type.starts_with("text/plain"));
  }
}

TEST_CASE("without a majority, a write is rejected and the error names no leader") {
  // This must be the last test case of the file, because it destroys the cluster.
  auto& nodes = api::get().nodes();
  auto& asked = api::get().asked();
  for (std::size_t i = 0; i < nodes.size(); ++i)
    if (&nodes[i] != &asked) nodes[i].process().kill();
  wait_for("loss of the leader", 10s, [&] { return asked.status()["leader"].is_null(); });
  const auto answer = asked.call("PUT", "/v1/maps/m/k?timeout=200ms", "1");
  INFO(answer.body);
  CHECK(answer.status == 503);
  const auto error = json::parse(answer.body);
  CHECK(error["error"] == "no_leader");
  CHECK(error["outcome"] == "rejected");
  CHECK(error["retryable"] == true);
  CHECK(error["leader"].is_null());
}
