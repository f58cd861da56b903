// Threads, limits, deadlines and the end of a server.
#include "runtime/http/client/client.hpp"
#include "tests/unit/http/desk.hpp"
#include "tests/unit/http/echo.hpp"
#include "tests/unit/http/wire.hpp"

#include <catch2/catch.hpp>

#include <future>
#include <stdexcept>
#include <string>
#include <thread>
#include <troupe/http/server.hpp>
#include <vector>

using namespace troupe::http;
using namespace troupe::http::testing;
using namespace std::chrono_literals;
using Catch::Contains;
using Catch::EndsWith;
using Catch::StartsWith;

namespace {

const std::string get_a = "GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n";

} // namespace

TEST_CASE("an unavailable address is a clear error") {
  const server first({}, echo);
  options same;
  same.port = first.port();
  CHECK_THROWS_WITH(server(same, echo),
                    Contains("cannot listen on 127.0.0.1 port " + std::to_string(first.port())) && Contains("in use"));
  options foreign;
  foreign.address = "192.0.2.1";
  CHECK_THROWS_AS(server(foreign, echo), listen_error);
  options senseless;
  senseless.address = "no such address";
  CHECK_THROWS_AS(server(senseless, echo), listen_error);
}

TEST_CASE("256 keep-alive connections, answered in bursts by another thread") {
  constexpr int clients = 256;
  constexpr int rounds = 20;
  desk inbox;
  server serving({}, inbox.take());
  std::thread actor([&] {
    // In lockstep: no client sends its next request before all answers of a round are sent.
    for (int round = 0; round < rounds; ++round)
      for (int left = clients; left > 0;)
        for (auto& [asked, answer] : inbox.wait(1)) {
          answer.send({200, "text/plain", describe(asked)});
          --left;
        }
  });
  std::vector<wire> wires;
  for (int i = 0; i < clients; ++i) wires.emplace_back(serving.port());
  for (int round = 0; round < rounds; ++round) {
    for (int i = 0; i < clients; ++i)
      wires[static_cast<std::size_t>(i)].send("POST /put?key=" + std::to_string(i) + "&round=" + std::to_string(round) +
                                              " HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
    for (int i = 0; i < clients; ++i)
      REQUIRE_THAT(read_answer(wires[static_cast<std::size_t>(i)]),
                   EndsWith("POST [put] key=" + std::to_string(i) + " round=" + std::to_string(round) + "; "));
  }
  actor.join();
}

TEST_CASE("a dropped or failing request is a 500") {
  server failing({}, [](const request& asked, const responder& answer) {
    if (asked.segments[0] == "throw") throw std::runtime_error("broken \xFF");
    if (asked.segments[0] == "answer-and-throw") {
      answer.send({});
      throw std::runtime_error("too late");
    }
  });
  client one("127.0.0.1", failing.port(), 5s);
  CHECK(one.request("GET", "/drop").status == 500);
  CHECK_THAT(one.request("GET", "/throw").body, Contains("broken"));
  CHECK(one.request("GET", "/answer-and-throw").status == 200);
}

TEST_CASE("an admit function that throws fails the request and nothing else") {
  options settings;
  settings.admit = [](const std::string&, const target& at) -> admission {
    if (at.segments.front() == "bad") throw std::runtime_error("no rule for this");
    return {};
  };
  std::vector<std::string> reported;
  settings.on_error = [&](std::string_view why) { reported.emplace_back(why); };
  server echoing(settings, echo);
  wire one(echoing.port());
  one.send("GET /bad HTTP/1.1\r\nHost: localhost\r\n\r\n");
  CHECK_THAT(one.read_all(), StartsWith("HTTP/1.1 500 ") && Contains("no rule for this"));
  CHECK(client("127.0.0.1", echoing.port(), 10s).request("GET", "/good").status == 200);
  echoing.stop();
  CHECK(reported == std::vector<std::string>{"no rule for this"});
}

TEST_CASE("an answer to a connection that is gone is not an error") {
  desk inbox;
  server serving({}, inbox.take());
  for (int i = 0; i < 20; ++i) {
    wire gone(serving.port());
    gone.send(get_a);
    const auto held = inbox.wait(1);
    gone.reset();
    held[0].second.send({200, "text/plain", std::string(100'000, 'x')});
  }
  wire here(serving.port());
  here.send(get_a);
  inbox.wait(1)[0].second.send({200, "text/plain", "still here"});
  CHECK_THAT(read_answer(here), EndsWith("still here"));
}

TEST_CASE("ends slow requests, and only those") {
  options hasty;
  hasty.read_timeout = 150ms;
  hasty.idle_timeout = 300ms;
  desk inbox;
  server serving(hasty, inbox.take());
  wire silent(serving.port());
  wire half_a_header(serving.port());
  half_a_header.send("GET /a HTTP/1.1\r\nHo");
  wire half_a_body(serving.port());
  half_a_body.send("PUT /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc");
  wire waiting(serving.port());
  waiting.send(get_a);
  const auto held = inbox.wait(1);
  // An occasional byte does not extend the deadline, which applies to the whole request.
  std::thread dripping([&] {
    wire drip(serving.port());
    drip.send("GET /a HTTP/1.1\r\n");
    while (drip.send("X: y\r\n")) std::this_thread::sleep_for(10ms); // nap: the client is slow
  });
  CHECK(silent.read_all().empty());
  CHECK_THAT(half_a_header.read_until("}"), StartsWith("HTTP/1.1 408 ") && Contains("\"request_timeout\""));
  CHECK_THAT(half_a_body.read_until("}"), StartsWith("HTTP/1.1 408 "));
  dripping.join();
  // A slow answer of the server does not end the connection. After the answer the idle deadline runs.
  held[0].second.send({200, "text/plain", "done"});
  CHECK_THAT(waiting.read_all(), EndsWith("done"));
}

TEST_CASE("cuts off a client that does not receive its answer") {
  options hasty;
  hasty.write_timeout = 100ms;
  hasty.max_connections = 1;
  const std::string large(32 * 1024 * 1024, 'l');
  server serving(hasty, [&](const request& asked, const responder& answer) {
    answer.send({200, "text/plain", asked.segments[0] == "large" ? large : "small"});
  });
  wire deaf(serving.port());
  deaf.send("GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n");
  deaf.read_until("\r\n\r\n"); // the only place is taken by a client that is being served
  const auto until = std::chrono::steady_clock::now() + 10s;
  unsigned status = 0;
  while (status != 200 && std::chrono::steady_clock::now() < until) {
    status = client("127.0.0.1", serving.port(), 5s).request("GET", "/small").status;
    REQUIRE((status == 200 || status == 503));
  }
  CHECK(status == 200);
}

TEST_CASE("a large answer arrives completely") {
  const std::string large(16 * 1024 * 1024, 'l');
  server serving({}, [&](const request&, const responder& answer) { answer.send({200, "text/plain", large}); });
  client one("127.0.0.1", serving.port(), 10s);
  for (int i = 0; i < 2; ++i) CHECK(one.request("GET", "/").body == large);
}

TEST_CASE("stop waits for requests in flight") {
  desk inbox;
  server serving({}, inbox.take());
  const auto port = serving.port();
  wire idle(port);
  wire busy(port);
  busy.send(get_a);
  const auto held = inbox.wait(1);
  // The answer to Expect shows that the server has seen the head of this one.
  wire expecting(port);
  expecting.send("PUT /c HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  expecting.read_until("\r\n\r\n");
  auto stopped = std::async(std::launch::async, [&] { serving.stop(10s); });
  CHECK(idle.read_all().empty());
  CHECK_THROWS_AS(wire(port), std::system_error);
  held[0].second.send({200, "text/plain", "finished"});
  CHECK_THAT(busy.read_all(), Contains("Connection: close\r\n") && EndsWith("finished"));
  expecting.send("abc");
  inbox.wait(1)[0].second.send({200, "text/plain", "finished too"});
  CHECK_THAT(expecting.read_all(), EndsWith("finished too"));
  stopped.get();
  serving.stop(10s);
}

TEST_CASE("stop cuts off requests that do not finish in time, and discards late answers") {
  desk inbox;
  std::vector<std::pair<request, responder>> held;
  {
    server serving({}, inbox.take());
    wire busy(serving.port());
    busy.send(get_a);
    held = inbox.wait(1);
    serving.stop(50ms);
    CHECK(busy.read_all().empty());
    CHECK_THROWS_AS(wire(serving.port()), std::system_error);
  }
  held[0].second.send({200, "text/plain", "too late"});
}

TEST_CASE("a server may end with requests in flight and answers arriving from threads") {
  for (int round = 0; round < 20; ++round) {
    desk inbox;
    std::thread actor;
    std::vector<wire> wires;
    {
      server serving({}, inbox.take());
      for (int i = 0; i < 20; ++i) wires.emplace_back(serving.port()).send(get_a + get_a + "GET /half");
      actor = std::thread([held = inbox.wait(10)]() mutable {
        for (auto& one : held) one.second.send({200, "text/plain", "x"});
      });
    }
    actor.join();
  }
}

TEST_CASE("a handler cannot stop its server") {
  std::unique_ptr<server> serving;
  std::promise<void> made;
  serving =
      std::make_unique<server>(options{}, [&, ready = made.get_future().share()](const request&, const responder&) {
        ready.wait();
        serving->stop();
      });
  made.set_value();
  client one("127.0.0.1", serving->port(), 5s);
  CHECK_THAT(one.request("GET", "/").body, Contains("cannot stop its server"));
}
