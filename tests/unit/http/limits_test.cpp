// Limits of memory and connections: clients together hold no more than configured, and waiting ones make room for
// others.
#include "runtime/http/budget.hpp"
#include "runtime/http/client/client.hpp"
#include "runtime/http/places.hpp"
#include "tests/unit/http/desk.hpp"
#include "tests/unit/http/echo.hpp"
#include "tests/unit/http/wire.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <catch2/catch.hpp>

#include <malloc.h>
#include <sys/resource.h>

#include <array>
#include <functional>
#include <memory>
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

options with_probe() {
  options chosen;
  chosen.max_connections = 8;
  chosen.admit = [](const std::string&, const target& at) {
    return admission{8 << 20, !at.segments.empty() && at.segments[0] == "livez"};
  };
  return chosen;
}

std::string probe(const server& at) {
  wire one(at.port());
  one.send("GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n");
  return read_answer(one);
}

wire unfinished_body(const server& at, std::size_t sent) {
  wire one(at.port());
  one.send("PUT /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 8000000\r\n\r\n" + std::string(sent, 'x'));
  return one;
}

} // namespace

TEST_CASE("a budget is never exceeded, and ended charges give back what they held", "[limits]") {
  const auto all = std::make_shared<byte_budget>(1000, 10);
  {
    charge one(all), two(all), answer(all);
    CHECK(one.hold_request(10));
    CHECK(all->used() == 0);
    CHECK(one.hold_request(410));
    CHECK_FALSE(two.hold_request(361)); // requests may hold three quarters
    CHECK(two.hold_request(360));
    CHECK_FALSE(one.hold_request(411));
    CHECK(all->used() == 750);
    CHECK(answer.hold_answer(260));
    CHECK_FALSE(answer.hold_answer(261));
    CHECK(one.hold_request(100));
    CHECK(all->used() == 690);
    auto moved = std::move(one);
    one.release();
    CHECK(all->used() == 690);
    moved.release();
    CHECK(all->used() == 600);
  }
  CHECK(all->used() == 0);
}

TEST_CASE("threads that share a budget never exceed it", "[limits]") {
  const auto all = std::make_shared<byte_budget>(1000);
  std::vector<std::thread> takers;
  std::atomic<bool> passed = false;
  for (int i = 0; i < 4; ++i)
    takers.emplace_back([&] {
      for (int round = 0; round < 20'000; ++round) {
        charge one(all);
        one.hold_answer(300);
        if (all->used() > 1000) passed = true;
      }
    });
  for (auto& taker : takers) taker.join();
  CHECK_FALSE(passed);
  CHECK(all->used() == 0);
}

TEST_CASE("unfinished bodies share a budget: the one that has received nothing for longest is refused", "[limits]") {
  auto chosen = with_probe();
  chosen.max_connections = 100;
  chosen.max_buffered = 1 << 20;
  server echoing(chosen, echo);
  std::vector<wire> unfinished;
  for (int i = 0; i < 40; ++i) {
    unfinished.push_back(unfinished_body(echoing, 60'000));
    CHECK_THAT(probe(echoing), StartsWith("HTTP/1.1 200 ")); // so the server has read what was sent before
  }
  // There is memory for fewer than 13 of them: the first ones made room, one after another, for the last ones.
  for (std::size_t i = 0; i < 27; ++i) {
    INFO(i);
    CHECK_THAT(read_answer(unfinished[i]), StartsWith("HTTP/1.1 503 ") && Contains("\"overloaded\"") &&
                                               Contains("\"rejected\"") && Contains("\"retryable\":true"));
  }
  // A complete request finds room at once, although none of the others has ended.
  client honest("127.0.0.1", echoing.port(), 10s);
  CHECK(honest.request("PUT", "/a", std::string(500'000, 'y')).status == 200);
}

TEST_CASE("requests that wait for their answer count too, until they are answered", "[limits]") {
  auto chosen = with_probe();
  chosen.max_buffered = 4 << 20;
  desk inbox;
  server serving(chosen, inbox.take());
  client first("127.0.0.1", serving.port(), 10s), second("127.0.0.1", serving.port(), 10s);
  const std::string body(1'400'000, 'x');
  std::thread asking([&] { CHECK(first.request("PUT", "/a", body).status == 200); });
  auto held = inbox.wait(1);
  wire third(serving.port());
  third.send("PUT /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2000000\r\n\r\n");
  third.send(std::string(2'000'000, 'x'));
  CHECK_THAT(read_answer(third), StartsWith("HTTP/1.1 503 "));
  held[0].second.send({200, "text/plain", "done"});
  asking.join();
  std::thread again([&] { CHECK(second.request("PUT", "/a", body).status == 200); });
  inbox.wait(1)[0].second.send({200, "text/plain", "done"});
  again.join();
}

TEST_CASE("an answer that does not fit is replaced by a small error", "[limits]") {
  auto chosen = with_probe();
  chosen.max_buffered = 1 << 20;
  server serving(chosen, [](const request&, const responder& answer) {
    answer.send({200, "text/plain", std::string(2 << 20, 'l')});
  });
  client one("127.0.0.1", serving.port(), 10s);
  const auto read = one.request("GET", "/a");
  CHECK(read.status == 503);
  CHECK_THAT(read.body, Contains("\"rejected\""));
  const auto written = one.request("PUT", "/a", "x");
  CHECK(written.status == 503);
  CHECK_THAT(written.body, Contains("\"unknown\"")); // the request may have been executed; its answer is lost
}

TEST_CASE("at the limit of connections the one that has been idle for longest makes room", "[limits]") {
  options two;
  two.max_connections = 2;
  server echoing(two, echo);
  wire first(echoing.port());
  first.send(get_a);
  CHECK_THAT(read_answer(first), StartsWith("HTTP/1.1 200"));
  wire second(echoing.port());
  second.send(get_a);
  CHECK_THAT(read_answer(second), StartsWith("HTTP/1.1 200"));
  first.send(get_a); // now the second has been idle for longer
  CHECK_THAT(read_answer(first), StartsWith("HTTP/1.1 200"));
  wire third(echoing.port());
  third.send(get_a);
  CHECK_THAT(read_answer(third), StartsWith("HTTP/1.1 200"));
  CHECK(second.read_all().empty());
  first.send(get_a);
  CHECK_THAT(read_answer(first), StartsWith("HTTP/1.1 200"));
}

TEST_CASE("when all connections are being served, probes are answered and others get a retryable error", "[limits]") {
  desk inbox;
  server serving(with_probe(), [give = inbox.take()](request asked, responder answer) {
    if (asked.segments[0] == "livez") return answer.send({200, "text/plain", "ok"});
    give(std::move(asked), std::move(answer));
  });
  std::vector<wire> busy;
  for (int i = 0; i < 8; ++i) busy.emplace_back(serving.port()).send(get_a);
  auto held = inbox.wait(8);
  // More silent clients than the reserve has places.
  std::vector<wire> silent;
  for (std::size_t i = 0; i < 2 * probe_reserve; ++i) silent.emplace_back(serving.port());
  for (std::size_t i = 0; i < 2 * probe_reserve; ++i) CHECK_THAT(probe(serving), StartsWith("HTTP/1.1 200 "));
  wire other(serving.port());
  other.send(get_a);
  CHECK_THAT(read_answer(other), StartsWith("HTTP/1.1 503 ") && Contains("\"retryable\":true"));
  for (auto& one : held) one.second.send({200, "text/plain", "done"});
  for (auto& one : busy) CHECK_THAT(read_answer(one), EndsWith("done"));
  wire late(serving.port());
  late.send(get_a);
  inbox.wait(1)[0].second.send({200, "text/plain", "done"});
  CHECK_THAT(read_answer(late), EndsWith("done"));
}

TEST_CASE("clients that are gone while their request waits free their places at once", "[limits]") {
  desk inbox;
  server serving(with_probe(), inbox.take());
  for (int round = 0; round < 3; ++round) {
    std::vector<wire> gone;
    for (int i = 0; i < 8; ++i) gone.emplace_back(serving.port()).send(get_a);
    const auto held = inbox.wait(8);
    const bool orderly = round % 2 == 0;
    for (auto& one : gone) orderly ? one.close() : one.reset();
    // None of them has got an answer.
    std::vector<wire> here;
    for (int i = 0; i < 8; ++i) {
      here.emplace_back(serving.port()).send(get_a);
      inbox.wait(1)[0].second.send({200, "text/plain", "here"});
      CHECK_THAT(read_answer(here.back()), EndsWith("here"));
    }
  }
}

TEST_CASE("an address has its own limit", "[limits]") {
  auto chosen = with_probe();
  chosen.max_connections_of_address = 2;
  desk inbox;
  server serving(chosen, [give = inbox.take()](request asked, responder answer) {
    if (asked.segments[0] == "livez") return answer.send({200, "text/plain", "ok"});
    give(std::move(asked), std::move(answer));
  });
  wire one(serving.port()), two(serving.port());
  one.send(get_a);
  two.send(get_a);
  auto held = inbox.wait(2);
  wire three(serving.port());
  three.send(get_a);
  CHECK_THAT(read_answer(three), StartsWith("HTTP/1.1 503 "));
  CHECK_THAT(probe(serving), StartsWith("HTTP/1.1 200 "));
  wire other(serving.port(), "127.0.0.2");
  other.send(get_a);
  inbox.wait(1)[0].second.send({200, "text/plain", "other"});
  CHECK_THAT(read_answer(other), EndsWith("other"));
}

TEST_CASE("the limit of descriptors bounds the number of connections", "[limits]") {
  rlimit old{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &old) == 0);
  rlimit few = old;
  few.rlim_cur = 256;
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &few) == 0);
  const auto bounded = within_file_limit({});
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &old) == 0);
  CHECK(bounded.max_connections == 256 / 4 - probe_reserve);
}

TEST_CASE("the servers of a process share its descriptors", "[limits]") {
  rlimit old{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &old) == 0);
  rlimit few = old;
  few.rlim_cur = 256;
  desk of_first, of_second;
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &few) == 0);
  auto first = std::make_unique<server>(options{}, of_first.take());
  server second(options{}, of_second.take());
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &old) == 0);
  // A quarter of the limit, minus the reserves of both.
  constexpr std::size_t places_of_both = 64 - 2 * probe_reserve;
  std::vector<wire> clients;
  for (std::size_t i = 0; i < 20; ++i) clients.emplace_back(first->port()).send(get_a);
  const auto held_there = of_first.wait(20);
  for (std::size_t i = 20; i < places_of_both; ++i) clients.emplace_back(second.port()).send(get_a);
  const auto held_here = of_second.wait(places_of_both - 20);
  wire late(second.port());
  late.send(get_a);
  CHECK_THAT(read_answer(late), StartsWith("HTTP/1.1 503 "));
  first.reset();
  wire again(second.port());
  again.send(get_a);
  of_second.wait(1)[0].second.send({200, "text/plain", "done"});
  CHECK_THAT(read_answer(again), EndsWith("done"));
}

namespace {

/// Sends requests of this length until one finds room. Until then each is refused.
void ask_until_served(const server& at, const std::function<void()>& meanwhile) {
  client other("127.0.0.1", at.port(), 10s);
  const auto give_up = std::chrono::steady_clock::now() + 20s;
  while (other.request("GET", "/" + std::to_string(8 << 20)).status != 200) {
    REQUIRE(std::chrono::steady_clock::now() < give_up);
    meanwhile();
    std::this_thread::sleep_for(20ms); // nap: a client counts as slow after a second
  }
}

void answer_of_length(const request& asked, const responder& answer) {
  answer.send({200, "text/plain", std::string(std::stoul(asked.segments.at(0)), 'l')});
}

wire ask_and_read_nothing(const server& at, std::size_t length) {
  wire one(at.port());
  one.send("GET /" + std::to_string(length) + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
  one.read_until("\r\n\r\n"); // now the answer holds its memory
  return one;
}

bool is_whole(wire& one, std::size_t length) {
  one.half_close();
  return one.read_all().size() == length;
}

} // namespace

TEST_CASE("a shortage of memory ends no more slow clients than necessary", "[limits]") {
  constexpr std::size_t each = 16 << 20;
  auto chosen = with_probe();
  chosen.max_buffered = 71 << 20; // fits four answers but not a fifth of half the size; three leave an eighth free
  server serving(chosen, answer_of_length);
  std::vector<wire> slow;
  for (int i = 0; i < 4; ++i) slow.push_back(ask_and_read_nothing(serving, each));
  std::this_thread::sleep_for(1200ms); // nap: all of them count as slow, not only the first
  ask_until_served(serving, [] {});
  // The kernel's buffers decide which of them received something last.
  int whole = 0;
  for (auto& one : slow) whole += is_whole(one, each);
  CHECK(whole == 3);
}

TEST_CASE("a client that receives slowly is not ended before one that receives nothing", "[limits]") {
  constexpr std::size_t each = 24 << 20;
  auto chosen = with_probe();
  chosen.max_buffered = 54 << 20;
  server serving(chosen, answer_of_length);
  auto moving = ask_and_read_nothing(serving, each);
  auto stuck = ask_and_read_nothing(serving, each);
  std::size_t taken = 0;
  ask_until_served(serving, [&] {
    constexpr std::size_t step = 128 << 10;
    moving.read_exactly(step);
    taken += step;
  });
  REQUIRE(taken < each);
  CHECK(is_whole(moving, each - taken));
  CHECK_FALSE(is_whole(stuck, each));
}

namespace {

/// Connections with their own budget, served on the test's thread.
struct bench {
  explicit bench(std::shared_ptr<byte_budget> budget) {
    around.settings = with_probe();
    around.serve = answer_of_length;
    around.answers = std::make_shared<mailbox>([] {}, std::move(budget));
    around.free_memory_for = [](const connection&) { return false; };
    around.ended = [](std::uint64_t) {};
  }
  ~bench() {
    for (const auto& one : served) one->close();
  }

  /// `buffers`: size of the kernel's buffers on each side, in bytes; 0: the default.
  void connect(int buffers = 0) {
    boost::asio::ip::tcp::acceptor listening(io, {boost::asio::ip::address_v4::loopback(), 0});
    clients.emplace_back(listening.local_endpoint().port(), "127.0.0.1", buffers);
    troupe::http::socket peer(io);
    listening.accept(peer);
    if (buffers > 0) peer.set_option(boost::asio::socket_base::send_buffer_size(buffers));
    served.push_back(std::make_shared<connection>(served.size(), std::move(peer), "a", false, around));
    served.back()->start();
  }
  void receive(std::string_view bytes) {
    clients.back().send(bytes);
    io.restart(); // it may have run out of work
    io.run_one();
  }
  /// Delivers the answers of the handler and of the server itself.
  void answer() {
    std::vector<troupe::http::answer> all;
    around.answers->take(all);
    for (auto& one : all) served[one.connection]->take(std::move(std::get<response>(one.content)), std::move(one.held));
  }

  server_state around;
  boost::asio::io_context io;
  std::vector<wire> clients;
  std::vector<std::shared_ptr<connection>> served;
};

std::string with_headers(std::size_t count) {
  std::string all;
  for (std::size_t i = 0; i < count; ++i) all += "a: b\r\n";
  return all;
}

std::size_t heap_in_use() { return ::mallinfo2().uordblks + ::mallinfo2().hblkhd; }

} // namespace

TEST_CASE("while no client stops, the slowest one makes room", "[limits]") {
  bench all(std::make_shared<byte_budget>(64 << 20));
  constexpr std::array<std::size_t, 4> steps{4'500, 1'000, 2'500, 12'000}; // the last one is fast enough
  for (std::size_t i = 0; i < steps.size(); ++i) {
    all.connect(32 << 10);
    all.clients.back().send("GET /16000000 HTTP/1.1\r\nHost: localhost\r\n\r\n");
    while (all.served.back()->held() == 0) {
      all.io.restart();
      all.io.run_one();
      all.answer();
    }
  }
  all.connect();
  const auto& requester = *all.served.back();
  const auto begun = std::chrono::steady_clock::now();
  {
    std::jthread serving{[&](const std::stop_token& over) {
      while (!over.stop_requested()) all.io.run_for(5ms);
    }};
    for (int round = 1; round <= 120; ++round) {
      for (std::size_t i = 0; i < steps.size(); ++i) all.clients[i].read_exactly(steps[i]);
      std::this_thread::sleep_until(begun + round * 20ms); // nap: the pace of slow clients
    }
  }
  const auto ended = [&] {
    std::vector<bool> of_each;
    for (std::size_t i = 0; i < steps.size(); ++i) of_each.push_back(all.served[i]->held() == 0);
    return of_each;
  };
  CHECK(free_memory_for(all.around, requester));
  CHECK(ended() == std::vector{false, true, false, false});
  CHECK(free_memory_for(all.around, requester));
  CHECK(ended() == std::vector{false, true, true, false});
  CHECK(free_memory_for(all.around, requester));
  CHECK_FALSE(free_memory_for(all.around, requester));
  CHECK(ended() == std::vector{true, true, true, false});
}

TEST_CASE("a head counts with its memory, not with its bytes", "[limits]") {
  bench one(std::make_shared<byte_budget>(1 << 20));
  one.connect();
  const std::string segments(max_segments, '/');
  one.receive("PUT " + segments + "?a&a&a&a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n" + with_headers(90) +
              "\r\n");
  CHECK(one.served[0]->held() >= max_segments * sizeof(std::string) + (92 + 4) * 2 * sizeof(std::string));
  CHECK(one.served[0]->held() < 20'000);
}

TEST_CASE("refuses a head with too many parts", "[limits]") {
  const server serving(with_probe(), answer_of_length);
  const auto status = [&](const std::string& target, std::size_t headers) {
    wire one(serving.port());
    one.send("GET " + target + " HTTP/1.1\r\nHost: localhost\r\n" + with_headers(headers) + "\r\n");
    return read_answer(one).substr(9, 3);
  };
  CHECK(status("/1" + std::string(max_segments - 1, '/'), max_headers - 1) == "200");
  CHECK(status("/1" + std::string(max_segments, '/'), 0) == "414");
  CHECK(status("/1?" + std::string(max_parameters, '&'), 0) == "414");
  CHECK(status("/1", max_headers) == "431");
}

TEST_CASE("a refused request leaves nothing in memory, although its connection stays open", "[limits]") {
  auto chosen = with_probe();
  chosen.max_connections = 128;
  chosen.max_header = 64 << 10;
  const server serving(chosen, answer_of_length);
  constexpr std::size_t each = 60'000;
  const auto sent = GENERATE("GET /%zz", "GET /1%zz"); // twice: the first one warms up the heap
  std::vector<wire> clients;
  for (int i = 0; i < 100; ++i) clients.emplace_back(serving.port());
  const auto before = heap_in_use();
  for (auto& one : clients) {
    // In two parts, so that the server must keep the first one.
    one.send(sent);
    one.send(std::string(each, 'x'));
    one.send(" HTTP/1.1\r\nHost: localhost\r\n\r\n");
    CHECK_THAT(read_answer(one), StartsWith("HTTP/1.1 400 "));
  }
  CHECK(heap_in_use() < before + clients.size() * each / 4);
}

TEST_CASE("a probe needs no budget, however small the allowance is", "[limits]") {
  const auto full = std::make_shared<byte_budget>(1000, 1);
  REQUIRE(full->take(1000, 1000));
  bench one(full);
  one.around.serve = [](const request&, const responder& answer) { answer.send({200, "text/plain", "ok"}); };
  one.connect();
  one.receive("GET /livez HTTP/1.1\r\nHost: localhost\r\nUser-Agent: a program that asks for this\r\n\r\n");
  one.answer();
  CHECK_THAT(read_answer(one.clients[0]), StartsWith("HTTP/1.1 200 "));
  one.receive("PUT /livez HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n" + std::string(50, 'x'));
  CHECK_THAT(read_answer(one.clients[0]), StartsWith("HTTP/1.1 503 "));
}

TEST_CASE("a connection that holds nothing needs no budget, however small the allowance is", "[limits]") {
  const auto full = std::make_shared<byte_budget>(1000, 1);
  REQUIRE(full->take(1000, 1000));
  bench one(full);
  one.connect();
  one.receive("\r\n"); // nothing is kept of an empty line before a request
  one.receive(get_a);
  CHECK_THAT(read_answer(one.clients[0]), StartsWith("HTTP/1.1 503 "));
  one.served[0]->close();
  CHECK(full->used() == 1000);
}
