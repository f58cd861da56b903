#include "runtime/transport/guarded_channel.hpp"
#include "tests/unit/transport/basp_frames.hpp"
#include "tests/unit/transport/message_types.hpp"
#include "tests/unit/transport/random_frames.hpp"
#include "tests/unit/transport/scripted_channel.hpp"
#include "tests/unit/transport/test_heap.hpp"

#include <catch2/catch.hpp>

#include <vector>

using namespace troupe::net;
using namespace troupe::net::testing;
using Catch::Contains;

namespace {

const auto self = basp::node(100, 'a');
const auto peer = basp::node(200, 'b');

std::shared_ptr<const guard_options> usual() {
  static const auto options = std::make_shared<const guard_options>(
      guard_options{.types = types_of_anything({"troupe.hello", "troupe.vote_request"}), .self = self});
  return options;
}

struct counting_watcher : channel_watcher {
  void heard() override { ++times_heard; }
  void introduced() override { ++times_introduced; }
  void dropped() override { ++times_dropped; }
  bool takes(std::ptrdiff_t bytes) override {
    const bool allowed = bytes <= 0 || taken + bytes <= most;
    if (allowed) taken += bytes;
    return allowed;
  }
  claim_outcome claim_node(std::string_view) override { return claim; }
  void held_back() override {}
  void violated(incident kind, const std::string& what) override {
    kinds.push_back(kind);
    problems.push_back(what);
  }
  std::size_t times_heard = 0;
  std::size_t times_introduced = 0;
  std::size_t times_dropped = 0;
  claim_outcome claim = claim_outcome::granted;
  std::vector<incident> kinds;
  std::vector<std::string> problems;
  std::ptrdiff_t taken = 0;
  std::ptrdiff_t most = 64 << 20;
};

/// The accepting end of a connection whose other end is a script.
struct guarded {
  explicit guarded(std::deque<scripted> steps) {
    auto made = std::make_unique<scripted_channel>(std::move(steps));
    raw = made.get();
    stream = std::make_unique<guarded_channel>(std::move(made), side::accepted, usual(), watcher);
  }
  /// What one read gives.
  std::string read(std::size_t size = 1 << 20) {
    std::string bytes(size, '\0');
    const auto got = stream->read(bytes.data(), size);
    state = got.state;
    CHECK((got.state == flow::moved) == (got.bytes > 0));
    bytes.resize(got.bytes);
    return bytes;
  }
  /// Everything until the channel waits or ends.
  std::string read_all() {
    std::string all;
    do all += read();
    while (state == flow::moved);
    return all;
  }

  std::shared_ptr<counting_watcher> watcher = std::make_shared<counting_watcher>();
  scripted_channel* raw;
  std::unique_ptr<guarded_channel> stream;
  flow state = flow::moved;
};

/// A connection's frames, drawn at random, and what of them passes.
struct conversation {
  explicit conversation(frame_source& source) {
    add(basp::client_hello(peer), true);
    for (auto left = source.pick(1, 80); left > 0; --left) {
      const auto kind = source.pick(0, 7);
      if (kind == 0) {
        add(source.ignored(), false);
      } else if (kind == 1) {
        add(source.dropped(), false);
        ++dropped;
      } else {
        add(source.valid(source.pick(0, 19) == 0 ? 300'000 : 300), true);
      }
    }
  }
  void add(const std::string& frame, bool passes) {
    sent += frame;
    if (passes) passed += frame;
    ends.emplace_back(sent.size(), passed.size());
  }
  /// How much passes of what is complete within the first bytes.
  std::size_t passed_of(std::size_t received) const {
    std::size_t size = 0;
    for (const auto& [until, out] : ends)
      if (until <= received) size = out;
    return size;
  }
  std::string sent;
  std::string passed;
  std::size_t dropped = 0;
  std::vector<std::pair<std::size_t, std::size_t>> ends;
};

std::deque<scripted> chopped(frame_source& source, const std::string& bytes) {
  std::deque<scripted> steps;
  const auto most = std::size_t{1} << source.pick(0, 18);
  for (std::size_t at = 0; at < bytes.size(); at += steps.back().bytes.size()) {
    while (source.pick(0, 9) == 0) steps.push_back({});
    // Tiny chunks of something large would only cost time.
    const auto size = std::max(source.pick(1, most), bytes.size() / 20'000);
    steps.push_back({bytes.substr(at, size)});
  }
  return steps;
}

} // namespace

TEST_CASE("exactly the frames that pass come out, however the bytes arrive and are read") {
  const auto seed = GENERATE(range(1u, 13u));
  INFO("seed " << seed);
  frame_source source{seed, self, peer, {"troupe.hello", "troupe.vote_request"}};
  for (int round = 0; round < 25; ++round) {
    INFO("round " << round);
    const conversation said{source};
    guarded one{chopped(source, said.sent)};
    std::string out;
    const auto most = std::size_t{1} << source.pick(0, 18);
    while (one.state != flow::closed) {
      out += one.read(std::max(source.pick(1, most), said.sent.size() / 20'000));
      // Whoever asks CAF's network loop to wake it by the socket alone must have everything by then.
      if (one.state == flow::again) REQUIRE_FALSE(one.raw->holds_bytes());
      if (one.state == flow::moved && !one.stream->holds_bytes())
        REQUIRE(out.size() == said.passed_of(one.raw->delivered()));
    }
    REQUIRE(out == said.passed);
    REQUIRE(one.watcher->times_dropped == said.dropped);
    REQUIRE(one.watcher->times_heard == one.raw->reads());
    REQUIRE(one.watcher->times_introduced == 1);
    REQUIRE(one.watcher->problems.empty());
    REQUIRE(one.watcher->taken > 0);
    one.stream.reset();
    REQUIRE(one.watcher->taken == 0);
  }
}

TEST_CASE("byte by byte in and out") {
  const auto sent = basp::client_hello(peer) + basp::wire("troupe.unknown", "x") + basp::wire("troupe.hello", "bytes");
  std::deque<scripted> steps;
  for (const char c : sent) steps.push_back({std::string(1, c)});
  guarded one{std::move(steps)};
  std::string out;
  while (one.state != flow::closed) out += one.read(1);
  CHECK(out == basp::client_hello(peer) + basp::wire("troupe.hello", "bytes"));
}

TEST_CASE("frames that came together are announced until the last is read, as the socket is silent about them") {
  const auto passes = basp::wire("troupe.hello", "x");
  std::string sent = basp::client_hello(peer);
  std::string expected = sent;
  for (int i = 0; i < 100; ++i) {
    sent += basp::wire("troupe.unknown", "x") + basp::beat() + passes;
    expected += passes;
  }
  guarded one{{{sent}, {}}};
  std::string out = one.read(basp::client_hello(peer).size());
  while (one.stream->holds_bytes()) {
    out += one.read(passes.size());
    REQUIRE(one.state == flow::moved);
  }
  CHECK(out == expected);
}

TEST_CASE("the other end is introduced when its handshake passes, and not by what is ignored") {
  guarded one{{{basp::client_hello(self)}, {}, {basp::client_hello(peer)}, {}}};
  CHECK(one.read().empty());
  CHECK(one.watcher->times_introduced == 0);
  CHECK(one.read() == basp::client_hello(peer));
  CHECK(one.watcher->times_introduced == 1);
}

TEST_CASE("when no more may be collected the connection ends, and what it had is given back") {
  const auto large = basp::wire("troupe.hello", std::string(1'000'000, 'x'));
  guarded one{{{basp::client_hello(peer)}, {large}, {}}};
  one.watcher->most = 500'000;
  CHECK(one.read() == basp::client_hello(peer));
  CHECK(one.read().empty());
  CHECK(one.state == flow::closed);
  REQUIRE(one.watcher->problems.size() == 1);
  CHECK_THAT(one.watcher->problems[0], Contains("take too much memory"));
  CHECK(one.read().empty());
  CHECK(one.state == flow::closed);
  CHECK(one.watcher->problems.size() == 1);
  CHECK(one.watcher->taken <= one.watcher->most);
  one.stream.reset();
  CHECK(one.watcher->taken == 0);
}

TEST_CASE("a frame in many records is read until the channel below holds nothing of it, as nobody announces that") {
  const auto large = basp::wire("troupe.hello", std::string(900'000, 'x'));
  std::deque<scripted> steps{{basp::client_hello(peer)}};
  for (std::size_t at = 0; at < large.size(); at += 20'000) steps.push_back({large.substr(at, 20'000)});
  guarded one{std::move(steps)};
  std::string out;
  while (one.state != flow::closed) {
    out += one.read();
    if (one.state == flow::again) REQUIRE_FALSE(one.raw->holds_bytes());
  }
  CHECK(out == basp::client_hello(peer) + large);
}

TEST_CASE("after a violation nothing comes, and it is told once") {
  const auto good = basp::client_hello(peer) + basp::wire("troupe.hello", "good");
  const auto bad = GENERATE(basp::frame({.operation = basp::routed_message, .to = 1}, "x"), // by its header
                            basp::direct("@<>", "x"),                                       // by its payload
                            std::string(40, '\xff'));
  guarded one{{{good + bad + basp::wire("troupe.hello", "too late")}, {}, {basp::beat()}}};
  CHECK(one.read_all() == good);
  CHECK(one.state == flow::closed);
  CHECK(one.watcher->problems.size() == 1);
  for (int again = 0; again < 3; ++again) {
    CHECK(one.read().empty());
    CHECK(one.state == flow::closed);
  }
  CHECK(one.watcher->problems.size() == 1);
  CHECK_FALSE(one.raw->finished());
}

TEST_CASE("a violation that came with good frames is found although the socket stays silent") {
  const auto good = basp::client_hello(peer);
  guarded one{{{good + std::string(40, '\xff')}, {}}};
  CHECK(one.read(good.size()) == good);
  // Either it is announced that there is something to read, or the end.
  REQUIRE(one.stream->holds_bytes());
  CHECK(one.read().empty());
  CHECK(one.state == flow::closed);
}

TEST_CASE("waiting and ends are passed on") {
  const auto hello = basp::client_hello(peer);
  guarded one{{{}, {hello.substr(0, 10)}, {}, {hello.substr(10)}, {}, {"", flow::closed}}};
  CHECK(one.read().empty());
  CHECK(one.state == flow::again);
  CHECK(one.read().empty());
  CHECK(one.state == flow::again);
  CHECK_FALSE(one.stream->holds_bytes());
  CHECK(one.read() == hello);
  CHECK(one.read().empty());
  CHECK(one.state == flow::again);
  CHECK(one.read().empty());
  CHECK(one.state == flow::closed);
}

TEST_CASE("half a frame at the end comes out as nothing") {
  const auto hello = basp::client_hello(peer);
  guarded one{{{hello + basp::wire("troupe.hello", "bytes").substr(0, 50)}}};
  CHECK(one.read_all() == hello);
  CHECK(one.state == flow::closed);
  CHECK(one.watcher->problems.empty());
}

TEST_CASE("bytes that wait for the reader, or in the channel below, are held") {
  const auto hello = basp::client_hello(peer);
  guarded one{{{hello}, {std::string(100'000, '\0')}}};
  CHECK_FALSE(one.stream->holds_bytes());
  CHECK(one.read(10) == hello.substr(0, 10));
  CHECK(one.stream->holds_bytes());
  CHECK(one.read() == hello.substr(10));
  CHECK_FALSE(one.stream->holds_bytes());
  CHECK(one.raw->read(std::string(10, '\0').data(), 10).bytes == 10);
  CHECK(one.stream->holds_bytes());
}

TEST_CASE("what is written goes out as it is") {
  guarded one{{}};
  CHECK(one.stream->write("anything", 8).bytes == 8);
  CHECK(one.raw->written() == "anything");
}

TEST_CASE("a reader that gets nothing but dropped frames lets others have their turn") {
  std::deque<scripted> steps{{basp::client_hello(peer)}};
  for (int i = 0; i < 1000; ++i) steps.push_back({basp::wire("troupe.unknown", "x")});
  guarded one{std::move(steps)};
  CHECK(one.read() == basp::client_hello(peer));
  CHECK(one.read().empty());
  CHECK(one.state == flow::again);
  CHECK(one.raw->reads() < 100);
}

TEST_CASE("memory follows what has arrived, not what was announced") {
  constexpr std::uint32_t announced = (16 << 20) - basp::header_size;
  const auto head =
      basp::frame({.operation = basp::direct_message, .payload = announced, .data = 1, .from = 2, .to = 3});
  const auto arrived = GENERATE(std::size_t{10}, std::size_t{200'000}, std::size_t{3'000'000});
  auto sent = basp::client_hello(peer) + head;
  sent += basp::length(0) + basp::types("@<>+troupe.hello") + std::string(arrived, '\x80');
  guarded one{{{sent}, {}}};
  sent = {};
  const auto before = in_use.load();
  most_in_use = before;
  char byte[1];
  while (one.state != flow::again || one.raw->holds_bytes()) one.state = one.stream->read(byte, 1).state;
  // A growing buffer is copied: the old and the new one, twice as large, are there for a moment.
  CHECK(most_in_use - before <= 64 * 1024 + 4 * arrived);
}

TEST_CASE("a large frame's memory is given back after it") {
  const auto large = basp::wire("troupe.hello", std::string(8'000'000, 'x'));
  guarded one{{{basp::client_hello(peer)}, {large}, {basp::wire("troupe.hello", "x")}, {}}};
  const auto before = in_use.load();
  std::vector<char> to(100'000);
  std::size_t read = 0;
  while (one.stream->read(to.data(), to.size()).state == flow::moved || !one.raw->finished()) ++read;
  CHECK(read > 80);
  CHECK(in_use.load() < before + to.size() + 100 * 1024 - large.size());
}
