// Requests from foreign web pages: neither a foreign name that resolves to this server nor a cross-site request has an
// effect.
#include "runtime/http/host_rules.hpp"
#include "tests/unit/http/echo.hpp"
#include "tests/unit/http/wire.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <string>
#include <troupe/http/server.hpp>
#include <vector>

using namespace troupe::http;
using namespace troupe::http::testing;
using Catch::Contains;
using Catch::StartsWith;

namespace {

unsigned status_of(const std::string& method, const std::string& host,
                   std::vector<std::pair<std::string, std::string>> headers = {},
                   const std::vector<std::string>& names = {}) {
  head asked;
  asked.method = method;
  asked.host = host;
  asked.headers = std::move(headers);
  const auto why = check_caller(asked, names);
  return why ? why->status : 200;
}

} // namespace

TEST_CASE("a server accepts its address, localhost, and its configured names as host", "[browser]") {
  for (const auto* host : {"localhost", "LocalHost", "localhost:8001", "localhost.", "127.0.0.1", "127.0.0.1:8001",
                           "10.1.2.3", "[::1]", "[fe80::1]:8001", "192.0.2.7:80"})
    CHECK(status_of("GET", host) == 200);
  for (const auto* host : {"evil.example", "evil.example:8001", "localhost.evil.example", "127.0.0.1.evil.example",
                           "127.1", "node1", "2130706433"}) {
    INFO(host);
    CHECK(status_of("GET", host) == 421);
    CHECK(status_of("PUT", host) == 421);
  }
  const std::vector<std::string> names{"node1", "Troupe.Example."};
  for (const auto* host : {"node1", "NODE1:8001", "node1.", "troupe.example:80"})
    CHECK(status_of("PUT", host, {}, names) == 200);
  CHECK(status_of("GET", "node2", {}, names) == 421);
  CHECK(status_of("GET", "sub.troupe.example", {}, names) == 421);
  CHECK(status_of("GET", "") == 200); // HTTP/1.0, which no browser uses
}

TEST_CASE("a page of another origin changes nothing", "[browser]") {
  const auto origin = [](const char* method, const char* from) {
    return status_of(method, "localhost:8001", {{"Origin", from}});
  };
  for (const auto* method : {"POST", "PUT", "DELETE", "PATCH", "post"}) {
    for (const auto* from : {"http://evil.example", "https://localhost:8001.evil.example", "null", "", "localhost:8001",
                             "http://localhost", "http://localhost:3000", "http://127.0.0.1:8001", "file://",
                             "http://localhost:8001/", "ftp://localhost:8001"}) {
      INFO(method << " " << from);
      CHECK(origin(method, from) == 403);
    }
    CHECK(origin(method, "http://localhost:8001") == 200);
    CHECK(origin(method, "https://LOCALHOST:8001") == 200);
  }
  CHECK(status_of("POST", "localhost", {{"origin", "http://localhost:80"}}) == 200);
  CHECK(status_of("POST", "localhost", {{"Origin", "http://localhost"}, {"Origin", "http://evil.example"}}) == 403);
  CHECK(status_of("POST", "", {{"Origin", "http://localhost"}}) == 403);
  for (const auto* method : {"GET", "HEAD", "OPTIONS"}) CHECK(origin(method, "http://evil.example") == 200);
  for (const auto& [site, status] : std::vector<std::pair<std::string, unsigned>>{{"cross-site", 403},
                                                                                  {"Cross-Site", 403},
                                                                                  {"same-site", 403},
                                                                                  {"", 403},
                                                                                  {"same-origin", 200},
                                                                                  {"none", 200}}) {
    CHECK(status_of("POST", "localhost", {{"Sec-Fetch-Site", site}}) == status);
    CHECK(status_of("GET", "localhost", {{"Sec-Fetch-Site", site}}) == 200);
  }
}

TEST_CASE("a request from a foreign page does not reach the handler, and the server does not wait for its body",
          "[browser]") {
  std::atomic<int> handled = 0;
  server serving({}, [&](request asked, responder answer) {
    ++handled;
    echo(std::move(asked), std::move(answer));
  });
  for (const auto* fields : {"Host: evil.example:80\r\n", "Host: localhost\r\nOrigin: http://evil.example\r\n"}) {
    wire one(serving.port());
    one.send("POST /a HTTP/1.1\r\n" + std::string(fields) + "Content-Length: 1000\r\n\r\n");
    one.half_close();
    const auto all = one.read_all();
    CHECK_THAT(all, StartsWith("HTTP/1.1 421 ") || StartsWith("HTTP/1.1 403 "));
    CHECK_THAT(all, Contains("\"outcome\":\"rejected\"") && Contains("\"retryable\":false"));
  }
  CHECK(handled == 0);
}
