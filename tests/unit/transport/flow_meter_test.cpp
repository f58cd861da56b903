#include "runtime/transport/flow_meter.hpp"

#include <catch2/catch.hpp>

#include <deque>
#include <thread>
#include <vector>

using namespace troupe::net;

namespace {

/// A connection whose actors handle messages when the test says so.
struct connection {
  explicit connection(const std::shared_ptr<flow_room>& room)
      : meter(std::make_shared<flow_meter>(room, [this](const flow_token& token) { mailbox.push_back(token); })) {}
  /// Passes pieces until the meter holds it. Returns how many bytes that took.
  std::size_t fill(std::size_t piece, std::size_t at_most) {
    std::size_t given = 0;
    while (given < at_most) {
      meter->handed(piece);
      given += piece;
      if (meter->is_over() && meter->hold([this] { ++resumed; })) break;
    }
    return given;
  }
  std::deque<flow_token> mailbox;
  int resumed = 0;
  std::shared_ptr<flow_meter> meter;
};

std::shared_ptr<flow_room> room_of(std::size_t total, std::size_t most) {
  auto room = std::make_shared<flow_room>();
  room->total = total;
  room->most = most;
  return room;
}

} // namespace

TEST_CASE("holds a connection when too much is unhandled, and resumes it when half of that is handled") {
  connection one{room_of(1 << 20, 100'000)};
  const auto given = one.fill(1000, 10'000'000);
  CHECK(given > 50'000);
  CHECK(given <= 101'000);
  CHECK(one.resumed == 0);
  const auto tokens = one.mailbox.size();
  CHECK(tokens > 8);
  CHECK(tokens < 40);
  while (one.resumed == 0) {
    REQUIRE_FALSE(one.mailbox.empty());
    one.mailbox.pop_front();
  }
  CHECK(one.mailbox.size() <= tokens / 2 + 1);
  CHECK_FALSE(one.meter->is_over());
  one.mailbox.clear();
  CHECK(one.resumed == 1);                    // once
  CHECK(one.fill(1000, 10'000'000) == given); // the whole allowance is free again
}

TEST_CASE("small pieces count with their cost in a mailbox") {
  connection one{room_of(1 << 20, 100'000)};
  CHECK(one.fill(1, 10'000'000) < 400);
}

TEST_CASE("one piece may exceed a connection's share: the connection resumes when the piece is handled") {
  connection one{room_of(1 << 20, 100'000)};
  CHECK(one.fill(5'000'000, 10'000'000) == 5'000'000);
  one.mailbox.clear();
  CHECK(one.resumed == 1);
}

TEST_CASE("never holds a connection whose messages are handled in time") {
  connection one{room_of(1 << 20, 100'000)};
  for (int i = 0; i < 10'000; ++i) {
    one.meter->handed(1000);
    REQUIRE_FALSE(one.meter->is_over());
    if (one.mailbox.size() > 3) one.mailbox.pop_front();
  }
}

TEST_CASE("connections share the limit, and ended ones leave their share to the others") {
  const auto room = room_of(100'000, 50'000);
  std::vector<std::unique_ptr<connection>> all;
  all.reserve(10);
  for (int i = 0; i < 10; ++i) all.push_back(std::make_unique<connection>(room));
  CHECK(all.front()->fill(100, 10'000'000) <= 10'000);
  all.resize(2);
  CHECK(all.back()->fill(100, 10'000'000) > 10'000);
  for (auto& one : all) one->mailbox.clear();
}

TEST_CASE("an actor that ends, or a missing receiver of tokens, holds no connection") {
  const auto meter = std::make_shared<flow_meter>(room_of(1 << 20, 10'000), [](const flow_token&) {});
  for (int i = 0; i < 1000; ++i) meter->handed(1000);
  CHECK_FALSE(meter->is_over());
}

TEST_CASE("counts what is handled at the moment of holding") {
  for (int round = 0; round < 200; ++round) {
    std::vector<flow_token> tokens;
    std::atomic<int> resumed = 0;
    const auto meter =
        std::make_shared<flow_meter>(room_of(1 << 20, 10'000), [&](const flow_token& t) { tokens.push_back(t); });
    while (!meter->is_over()) meter->handed(1000);
    std::thread actors([handled = std::exchange(tokens, {})]() mutable { handled.clear(); });
    const bool held = meter->hold([&] { ++resumed; });
    actors.join();
    tokens.clear();
    CHECK(resumed == (held ? 1 : 0));
  }
}
