#include "runtime/http/client.hpp"
#include "tests/unit/http/echo.hpp"

#include <catch2/catch.hpp>

#include <future>
#include <memory>
#include <string>
#include <troupe/http/server.hpp>

using namespace troupe::http;
using namespace troupe::http::testing;
using namespace std::chrono_literals;

namespace {

/// Whether the request without an answer was sent.
bool sent_in_vain(client& one, std::string_view target = "/a", std::string_view body = {}) {
  try {
    const auto answer = one.request("POST", target, body);
    FAIL("answered with " << answer.status << " " << answer.body);
  } catch (const client_error& error) {
    INFO(error.what());
    return error.sent();
  }
  return false;
}

} // namespace

TEST_CASE("a client keeps its connection for all kinds of requests") {
  server echoing({}, echo);
  client one("localhost", echoing.port(), 5s);
  CHECK(one.request("GET", "/a?b=c").body == "GET [a] b=c; ");
  const auto head = one.request("HEAD", "/a");
  CHECK(head.status == 200);
  CHECK(head.content_type == "text/plain");
  CHECK(head.body.empty());
  const std::string large(1'000'000, '\xFF');
  CHECK(one.request("PUT", "/a", large).body == "PUT [a]; " + large);
  CHECK(one.request("GET", "/%").status == 400);
  client moved = std::move(one);
  CHECK(moved.request("DELETE", "/a").body == "DELETE [a]; ");
}

TEST_CASE("a client reconnects to a restarted server") {
  auto serving = std::make_unique<server>(options{}, echo);
  options same;
  same.port = serving->port();
  client one("127.0.0.1", same.port, 5s);
  CHECK(one.request("GET", "/a").status == 200);
  serving.reset();
  CHECK_FALSE(sent_in_vain(one));
  serving = std::make_unique<server>(same, echo);
  CHECK(one.request("GET", "/a").status == 200);
  serving = nullptr;
  serving = std::make_unique<server>(same, echo);
  // The server closed the old connection while the client was idle, so the client opens a new one.
  CHECK(one.request("GET", "/a").status == 200);
}

TEST_CASE("distinguishes a missing answer from a request that was not sent") {
  SECTION("nothing listens") {
    const auto port = server({}, echo).port();
    client one("127.0.0.1", port, 5s);
    CHECK_FALSE(sent_in_vain(one));
  }
  SECTION("no such host") {
    client one("no-such-host.invalid", 1, 5s);
    CHECK_FALSE(sent_in_vain(one));
  }
  SECTION("the server does not answer") {
    std::promise<responder> held;
    server silent({}, [&](const request&, responder answer) { held.set_value(std::move(answer)); });
    client one("127.0.0.1", silent.port(), 50ms);
    CHECK(sent_in_vain(one));
  }
  SECTION("the server ends before it answers") {
    std::promise<responder> held;
    auto dying =
        std::make_unique<server>(options{}, [&](const request&, responder a) { held.set_value(std::move(a)); });
    client one("127.0.0.1", dying->port(), 5s);
    auto killer = std::async(std::launch::async, [&, arrived = held.get_future()]() mutable {
      const auto answer = arrived.get();
      dying.reset();
    });
    CHECK(sent_in_vain(one));
  }
  SECTION("the server refuses early") {
    server echoing({}, echo);
    client one("127.0.0.1", echoing.port(), 5s);
    CHECK(one.request("PUT", "/a", std::string(3'000'000, 'x')).status == 413);
    CHECK(one.request("GET", "/a").status == 200);
  }
}

TEST_CASE("limits the size of an answer, whether or not its length is announced") {
  server echoing({}, echo);
  client bounded("localhost", echoing.port(), 5s, 1000);
  CHECK(bounded.request("PUT", "/a", std::string(500, 'x')).status == 200);
  CHECK(sent_in_vain(bounded, "/a", std::string(1000, 'x')));
  CHECK(bounded.request("GET", "/a").status == 200);
}
