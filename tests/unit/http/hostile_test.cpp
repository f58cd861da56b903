// Hostile and broken clients: the server continues to serve.
#include "runtime/http/client/client.hpp"
#include "tests/unit/http/echo.hpp"
#include "tests/unit/http/wire.hpp"

#include <catch2/catch.hpp>

#include <sys/resource.h>

#include <filesystem>
#include <iterator>
#include <random>
#include <string>
#include <troupe/http/server.hpp>
#include <vector>

using namespace troupe::http;
using namespace troupe::http::testing;
using namespace std::chrono_literals;
using Catch::StartsWith;

namespace {

void check_serves(const server& one) {
  CHECK(client("127.0.0.1", one.port(), 10s).request("GET", "/alive").body == "GET [alive]; ");
}

std::size_t open_descriptors() {
  namespace fs = std::filesystem;
  return static_cast<std::size_t>(std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator()));
}

} // namespace

TEST_CASE("survives 1,000 connections that close at once") {
  const auto before = open_descriptors();
  {
    server echoing({}, echo);
    for (int i = 0; i < 1000; ++i) {
      wire one(echoing.port());
      if (i % 3 == 1) one.reset();
      if (i % 3 == 2) one.send("GET /a HTTP/1.1\r\n");
    }
    check_serves(echoing);
  }
  CHECK(open_descriptors() == before);
}

TEST_CASE("half-open connections up to the limit block others for no longer than the deadline") {
  options hasty;
  hasty.max_connections = 50;
  hasty.read_timeout = 200ms;
  server echoing(hasty, echo);
  std::vector<wire> silent;
  for (int i = 0; i < 100; ++i) silent.emplace_back(echoing.port());
  check_serves(echoing);
}

TEST_CASE("without a free descriptor the server waits for one") {
  server echoing({}, echo);
  client early("127.0.0.1", echoing.port(), 10s);
  CHECK(early.request("GET", "/a").status == 200);
  wire queued(echoing.port());
  queued.send("GET /b HTTP/1.1\r\nHost: localhost\r\n\r\n");
  CHECK_THAT(read_answer(queued), StartsWith("HTTP/1.1 200"));
  rlimit old{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &old) == 0);
  {
    // These connect while descriptors last. The server accepts them only after the limit is restored.
    rlimit none = old;
    none.rlim_cur = open_descriptors(); // one more than are open now, because counting them needs one
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
    std::unique_ptr<wire> starved;
    try {
      starved = std::make_unique<wire>(echoing.port());
      starved->send("GET /c HTTP/1.1\r\nHost: localhost\r\n\r\n");
    } catch (const std::system_error&) {
    }
    CHECK(early.request("GET", "/a").status == 200);
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &old) == 0);
    REQUIRE(starved);
    CHECK_THAT(read_answer(*starved), StartsWith("HTTP/1.1 200"));
  }
  check_serves(echoing);
}

TEST_CASE("answers garbage with an error or by closing") {
  server echoing({}, echo);
  const auto seed = GENERATE(1u, 2u, 3u);
  INFO("seed " << seed);
  std::mt19937 random(seed);
  const std::string valid = "PUT /v1/maps/m/k?a=b%20c HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
                            "Expect: 100-continue\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
  for (int round = 0; round < 150; ++round) {
    std::string text = valid + valid;
    if (round % 3 == 0) {
      text.assign(random() % 3000, '\0');
      for (auto& c : text) c = static_cast<char>(random() % 256);
    } else {
      for (auto changes = 1 + random() % 4; changes > 0; --changes)
        text[random() % text.size()] = static_cast<char>(random() % 256);
      if (round % 3 == 1) text.resize(random() % text.size());
    }
    wire one(echoing.port());
    for (std::size_t at = 0; at < text.size();) {
      const auto size = 1 + random() % text.size();
      if (!one.send(std::string_view(text).substr(at, size))) break;
      at += size;
    }
    one.half_close();
    const auto answer = one.read_all();
    INFO(answer);
    REQUIRE((answer.empty() || answer.starts_with("HTTP/1.1 ")));
  }
  check_serves(echoing);
}
