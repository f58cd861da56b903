#include "runtime/http/client/client.hpp"
#include "tests/unit/http/echo.hpp"
#include "tests/unit/http/scripted_server.hpp"

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdlib>
#include <future>
#include <memory>
#include <stop_token>
#include <string>
#include <troupe/http/server.hpp>
#include <vector>

using namespace troupe::http;
using namespace troupe::http::testing;
using namespace std::chrono_literals;

namespace {

const std::string ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
/// Closes the connection instead of an answer.
const std::string nothing;

std::string url_of(std::uint16_t port) { return "http://127.0.0.1:" + std::to_string(port); }

/// Whether the request without an answer was sent.
bool sent_in_vain(client& one, std::string_view target = "/a", std::string_view body = {},
                  std::string_view method = "POST", const request_options& options = {}) {
  try {
    const auto answer = one.request(method, target, body, options);
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

TEST_CASE("a client never repeats a request by itself") {
  const std::string method = GENERATE("GET", "HEAD", "DELETE", "POST", "PUT");
  const std::string body(method == "PUT" ? GENERATE(1u, 1'000'000u) : 0u, 'x');
  CAPTURE(method, body.size());
  // The server ends the connection after it has received the second request, so it may have executed that one.
  scripted_server serving({{ok, nothing}, {ok}});
  client one("127.0.0.1", serving.port(), 5s);
  REQUIRE(one.request("GET", "/a").status == 200);
  CHECK(sent_in_vain(one, "/b", body, method));
  CHECK(serving.connections() == 1);
  REQUIRE(serving.targets() == std::vector<std::string>{"/a", "/b"});
  CHECK(one.request("GET", "/c").status == 200);
  CHECK(serving.targets().back() == "/c");
}

TEST_CASE("what arrives between two requests is not the answer to the second one") {
  scripted_server serving({{ok}, {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfresh"}}, scripted_server::at_end::wait);
  client one("127.0.0.1", serving.port(), 5s);
  CHECK(one.request("GET", "/a").body == "ok");
  serving.send("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n");
  CHECK(one.request("POST", "/b").body == "fresh");
}

TEST_CASE("a request that cannot be sent in time is not sent") {
  scripted_server deaf({}); // accepts nothing, so the kernel's buffers fill
  client one("127.0.0.1", deaf.port(), 300ms);
  CHECK_FALSE(sent_in_vain(one, "/a", std::string(64 << 20, 'x'), "PUT"));
  CHECK(sent_in_vain(one, "/a", "small", "PUT"));
}

TEST_CASE("an answer that ends too early or never becomes final is an error") {
  const std::string answer = GENERATE("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", "HTTP/1.1 200 OK\r\nConte",
                                      "HTTP/1.1 100 Continue\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n");
  CAPTURE(answer);
  scripted_server serving({{answer}});
  client one("127.0.0.1", serving.port(), 5s);
  CHECK(sent_in_vain(one));
}

TEST_CASE("interim answers are skipped, redirects are not followed, and the end of the stream may end a body") {
  scripted_server serving(
      {{"HTTP/1.1 100 Continue\r\n\r\n" + ok, "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nto the end"}});
  client one("127.0.0.1", serving.port(), 5s);
  std::vector<unsigned> statuses;
  request_options noting;
  noting.on_status = [&](unsigned status) { statuses.push_back(status); };
  CHECK(one.request("PUT", "/a", "x", noting).body == "ok");
  CHECK(one.request("GET", "/b", {}, noting).status == 302);
  const auto last = one.request("GET", "/c", {}, noting);
  CHECK(last.body == "to the end");
  CHECK(last.content_type == "text/plain");
  CHECK(statuses == std::vector<unsigned>{200, 302, 200});
  CHECK(serving.targets() == std::vector<std::string>{"/a", "/b", "/c"});
}

TEST_CASE("targets are sent unchanged, after the path of the URL") {
  scripted_server serving({{ok, ok}, {ok}});
  const std::string odd = "/a/../b//%2e%41?x=%00&y=\xff";
  client one("127.0.0.1", serving.port(), 5s);
  CHECK(one.request("GET", odd).status == 200);
  CHECK(one.request("PUT", "*", "x").status == 200);
  client below(url_of(serving.port()) + "/api/", {.timeout = 5s});
  CHECK(below.request("GET", odd).status == 200);
  CHECK(serving.targets() == std::vector<std::string>{odd, "*", "/api" + odd});
}

TEST_CASE("a client uses no proxy of the environment") {
  server echoing({}, echo);
  REQUIRE(::setenv("http_proxy", "http://127.0.0.1:1", 1) == 0);
  const auto status = client("127.0.0.1", echoing.port(), 5s).request("GET", "/a").status;
  REQUIRE(::unsetenv("http_proxy") == 0);
  CHECK(status == 200);
}

TEST_CASE("a client with its own authority sends nothing by plain http; other protocols are refused") {
  scripted_server serving({{ok}});
  client guarded(url_of(serving.port()), {.timeout = 5s, .authority = "/no/such/file"});
  CHECK_FALSE(sent_in_vain(guarded));
  client strange("ftp://127.0.0.1:" + std::to_string(serving.port()), {.timeout = 5s});
  CHECK_FALSE(sent_in_vain(strange));
  CHECK(serving.connections() == 0);
}

TEST_CASE("a child process does not inherit a client's connection") {
  server echoing({}, echo);
  client one("127.0.0.1", echoing.port(), 5s);
  REQUIRE(one.request("GET", "/a").status == 200);
  int found = 0;
  for (int fd = 0; fd < 1024; ++fd) {
    sockaddr_in peer{};
    socklen_t size = sizeof peer;
    if (::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) != 0) continue;
    if (peer.sin_family != AF_INET || ntohs(peer.sin_port) != echoing.port()) continue;
    ++found;
    CHECK((::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
  }
  CHECK(found == 1);
}

TEST_CASE("the body of a 200 can be received as it arrives") {
  const std::string half = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc";
  scripted_server serving({{half, "HTTP/1.1 500 No\r\nContent-Length: 3\r\n\r\nwhy"}});
  client one(url_of(serving.port()), {.timeout = 5s, .max_answer = 3});
  std::string received;
  request_options streaming;
  streaming.receive = [&](std::string_view part) {
    received += part;
    if (received == "abc") serving.send("def"); // arrives only because the first part has been received
    return true;
  };
  const auto whole = one.request("GET", "/a", {}, streaming);
  CHECK(received == "abcdef");
  CHECK(whole.body.empty());
  CHECK(one.request("GET", "/b", {}, streaming).body == "why");
  CHECK(received == "abcdef");
  scripted_server endless({{half}, {half}}, scripted_server::at_end::wait);
  streaming.receive = [](std::string_view) { return false; };
  CHECK(client("127.0.0.1", endless.port(), 5s).request("GET", "/c", {}, streaming).status == 200);
  streaming.receive = [](std::string_view) -> bool { throw std::out_of_range("not this"); };
  CHECK_THROWS_WITH(client("127.0.0.1", endless.port(), 5s).request("GET", "/d", {}, streaming), "not this");
}

TEST_CASE("a stop ends a request that waits, at once") {
  std::promise<responder> held;
  server silent({}, [&](const request&, responder answer) { held.set_value(std::move(answer)); });
  client one("127.0.0.1", silent.port(), 60s);
  std::stop_source stop;
  auto stopper = std::async(std::launch::async, [&, arrived = held.get_future()]() mutable {
    const auto answer = arrived.get();
    stop.request_stop();
  });
  const auto began = std::chrono::steady_clock::now();
  CHECK(sent_in_vain(one, "/a", {}, "POST", {.stop = stop.get_token()}));
  CHECK(std::chrono::steady_clock::now() - began < 10s);
  CHECK_FALSE(sent_in_vain(one, "/b", {}, "POST", {.stop = stop.get_token()}));
}
