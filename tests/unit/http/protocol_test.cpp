// HTTP at the level of bytes: framing, keep-alive, refusals.
#include "tests/unit/http/echo.hpp"
#include "tests/unit/http/wire.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <string>
#include <troupe/http/server.hpp>

using namespace troupe::http;
using namespace troupe::http::testing;
using Catch::Contains;
using Catch::EndsWith;
using Catch::StartsWith;

namespace {

/// The error in the only answer on `from`, after which the server must have closed.
nlohmann::json last_error(wire& from, unsigned status) {
  const auto all = from.read_all();
  CHECK_FALSE(from.was_reset());
  CHECK_THAT(all, StartsWith("HTTP/1.1 " + std::to_string(status) + " ") && Contains("\r\nConnection: close\r\n"));
  return nlohmann::json::parse(all.substr(all.find("\r\n\r\n") + 4));
}

} // namespace

TEST_CASE("answers a plain request") {
  server echoing({}, echo);
  wire one(echoing.port());
  one.send("POST /put?map=m&key=a%20b HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nbody");
  CHECK(read_answer(one) == "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 30\r\n\r\n"
                            "POST [put] map=m key=a b; body");
}

TEST_CASE("a POST without a length has no body") {
  server echoing({}, echo);
  wire one(echoing.port());
  one.send("POST /put HTTP/1.1\r\nHost: localhost\r\n\r\n");
  CHECK_THAT(read_answer(one), EndsWith("POST [put]; "));
}

TEST_CASE("a request may arrive byte by byte") {
  server echoing({}, echo);
  wire one(echoing.port());
  const std::string text = "\r\n\r\nPUT /a/ HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
                           "3;ext=1\r\nabc\r\nB\r\ndefghijklmn\r\n0\r\nTrailer: 1\r\n\r\n";
  for (const char c : text) REQUIRE(one.send({&c, 1}));
  CHECK_THAT(read_answer(one), EndsWith("PUT [a][]; abcdefghijklmn"));
}

TEST_CASE("answers pipelined requests one by one, in order") {
  server echoing({}, echo);
  wire one(echoing.port());
  std::string all;
  for (int i = 0; i < 3000; ++i)
    all += "POST /" + std::to_string(i) + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nhi" +
           (i % 2 ? "\r\n" : "");
  REQUIRE(one.send(all));
  for (int i = 0; i < 3000; ++i) REQUIRE_THAT(read_answer(one), EndsWith("POST [" + std::to_string(i) + "]; hi"));
}

TEST_CASE("keep-alive is the default in HTTP/1.1, but not in 1.0") {
  server echoing({}, echo);
  SECTION("1.1 close") {
    wire one(echoing.port());
    one.send("GET /a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    CHECK_THAT(one.read_all(), Contains("Connection: close\r\n") && EndsWith("GET [a]; "));
  }
  SECTION("1.0") {
    wire one(echoing.port());
    one.send("GET /a HTTP/1.0\r\n\r\n");
    CHECK_THAT(one.read_all(), Contains("Connection: close\r\n") && EndsWith("GET [a]; "));
  }
  SECTION("1.0 keep-alive") {
    wire one(echoing.port());
    for (int i = 0; i < 2; ++i) {
      one.send("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
      CHECK_THAT(read_answer(one), Contains("Connection: keep-alive\r\n") && EndsWith("GET [a]; "));
    }
  }
  SECTION("a client that has closed its side still gets the answer") {
    wire one(echoing.port());
    one.send("GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n");
    one.half_close();
    CHECK_THAT(one.read_all(), EndsWith("GET [a]; "));
  }
  SECTION("discards what follows the last request, but sends the answer") {
    wire one(echoing.port());
    one.send(
        "GET /a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\nGET /b HTTP/1.1\r\nHost: localhost\r\n\r\n");
    one.half_close();
    CHECK_THAT(one.read_all(), EndsWith("GET [a]; "));
  }
}

TEST_CASE("HEAD has the length of the body, but not the body") {
  server echoing({}, echo);
  wire one(echoing.port());
  one.send("HEAD /a HTTP/1.1\r\nHost: localhost\r\n\r\nGET /b HTTP/1.1\r\nHost: localhost\r\n\r\n");
  CHECK_THAT(one.read_until("\r\n\r\n"), Contains("Content-Length: 10\r\n"));
  CHECK_THAT(read_answer(one), StartsWith("HTTP/1.1 200 OK\r\n") && EndsWith("GET [b]; "));
}

TEST_CASE("204 has neither body nor length") {
  server empty({}, [](const request&, const responder& answer) { answer.send({204, "text/plain", "none"}); });
  wire one(empty.port());
  one.send("GET /a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  CHECK(one.read_all() == "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
}

TEST_CASE("Expect: 100-continue is answered before the body") {
  server echoing({}, echo);
  SECTION("continue") {
    wire one(echoing.port());
    one.send("PUT /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nExpect: 100-Continue\r\n\r\n");
    CHECK(one.read_until("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
    one.send("abc");
    CHECK_THAT(read_answer(one), EndsWith("PUT [a]; abc"));
  }
  SECTION("not if the body has already arrived") {
    wire one(echoing.port());
    one.send("PUT /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\nabc");
    CHECK_THAT(read_answer(one), StartsWith("HTTP/1.1 200 OK\r\n"));
  }
  SECTION("not if the body would be too large") {
    wire one(echoing.port());
    one.send("PUT /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\nExpect: 100-continue\r\n\r\n");
    one.half_close();
    CHECK(last_error(one, 413)["error"] == "body_too_large");
  }
}

TEST_CASE("accepts bodies up to the limit") {
  options small;
  small.admit = [](const std::string&, const target&) { return admission{300'000}; };
  server echoing(small, echo);
  wire one(echoing.port());
  const std::string body(300'000, 'b');
  SECTION("just fits") {
    one.send("PUT /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 300000\r\n\r\n" + body);
    CHECK(read_answer(one).size() > 300'000);
  }
  SECTION("announced too large") {
    one.send("PUT /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 300001\r\n\r\n" + body + "x");
    one.half_close();
    CHECK(last_error(one, 413)["retryable"] == false);
  }
  SECTION("grows too large") {
    one.send("PUT /a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 31; ++i) one.send("2710\r\n" + body.substr(0, 10'000) + "\r\n");
    one.half_close();
    CHECK(last_error(one, 413)["outcome"] == "rejected");
  }
}

TEST_CASE("accepts headers up to the limit") {
  options small;
  small.max_header = 4096;
  server echoing(small, echo);
  wire one(echoing.port());
  SECTION("fits") {
    one.send("GET /a HTTP/1.1\r\nHost: localhost\r\nX: " + std::string(3900, 'h') + "\r\n\r\n");
    CHECK_THAT(read_answer(one), StartsWith("HTTP/1.1 200 "));
  }
  SECTION("too large in one field") {
    one.send("GET /a HTTP/1.1\r\nHost: localhost\r\nX: " + std::string(5000, 'h'));
    one.half_close();
    CHECK(last_error(one, 431)["error"] == "header_too_large");
  }
  SECTION("a target that is too long") {
    one.send("GET /" + std::string(5000, 'h') + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
    one.half_close();
    CHECK(last_error(one, 431)["error"] == "header_too_large");
  }
  SECTION("endless trailers and chunk extensions") {
    one.send("PUT /a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1;" + std::string(9000, 'e'));
    one.half_close();
    CHECK(last_error(one, 431)["error"] == "header_too_large");
  }
}

TEST_CASE("answers other protocols with a 400 and closes") {
  server echoing({}, echo);
  for (const auto* bad : {
           "garbage\r\n\r\n",
           "GET /a HTTP/2.0\r\nHost: localhost\r\n\r\n",
           "GET /a b HTTP/1.1\r\nHost: localhost\r\n\r\n",
           "GET /a HTTP/1.1\r\n\r\n",
           "GET /a HTTP/1.1\r\nHost: localhost\r\nHost: y\r\n\r\n",
           "GET /a HTTP/1.1\r\nHost: localhost\r\nno colon\r\n\r\n",
           "GET /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
           "GET /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1, 2\r\n\r\n",
           "GET /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999999\r\n\r\n",
           "GET /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
           "PUT /a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nnothex\r\n",
           "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a TLS hello\r\n\r\n",
       }) {
    INFO(bad);
    wire one(echoing.port());
    one.send(bad);
    one.half_close();
    CHECK(last_error(one, 400)["error"] == "bad_request");
  }
  wire gzip(echoing.port());
  gzip.send("PUT /a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: "
            "localhost\r\n\r\n");
  gzip.half_close();
  CHECK(last_error(gzip, 501)["error"] == "not_implemented");
}

TEST_CASE("a bad escape in the target is a 400 that leaves the connection usable") {
  server echoing({}, echo);
  wire one(echoing.port());
  for (const auto* target : {"/%", "/a?b=%zz", "*", "example.org:80"}) {
    one.send(std::string("GET ") + target + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
    CHECK_THAT(read_answer(one), StartsWith("HTTP/1.1 400 ") && Contains("\"outcome\":\"rejected\""));
  }
  one.send("GET http://localhost/a HTTP/1.1\r\nHost: localhost\r\n\r\n");
  CHECK_THAT(read_answer(one), EndsWith("GET [a]; "));
}
