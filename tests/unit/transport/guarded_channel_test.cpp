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
const basp_3_dialect dialect;

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

/// The accepting end of a connection whose other end follows a script.
struct guarded {
  explicit guarded(std::deque<scripted> steps) {
    auto made = std::make_unique<scripted_channel>(std::move(steps));
    raw = made.get();
    stream = std::make_unique<guarded_channel>(std::move(made), side::accepted, usual(), watcher);
  }
  /// The result of one read.
  std::string read(std::size_t size = 1 << 20) {
    std::string bytes(size, '\0');
    const auto got = stream->read(bytes.data(), size);
    state = got.state;
    CHECK((got.state == flow::moved) == (got.bytes > 0));
    bytes.resize(got.bytes);
    return bytes;
  }
  /// Reads everything until the channel waits or ends.
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

/// Random frames of a connection, and the bytes of them that pass.
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
  /// How many bytes pass of the frames that are complete within the first bytes.
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
    // Tiny chunks of a large input would only take time.
    const auto size = std::max(source.pick(1, most), bytes.size() / 20'000);
    steps.push_back({bytes.substr(at, size)});
  }
  return steps;
}

} // namespace

TEST_CASE("returns exactly the frames that pass, however the bytes arrive and are read") {
  const auto seed = GENERATE(range(1u, 13u));
  INFO("seed " << seed);
  frame_source source{seed, dialect, self, peer, {"troupe.hello", "troupe.vote_request"}};
  for (int round = 0; round < 25; ++round) {
    INFO("round " << round);
    const conversation said{source};
    guarded one{chopped(source, said.sent)};
    std::string out;
    const auto most = std::size_t{1} << source.pick(0, 18);
    while (one.state != flow::closed) {
      out += one.read(std::max(source.pick(1, most), said.sent.size() / 20'000));
      // A reader that CAF's network loop wakes only by the socket must have everything by then.
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

TEST_CASE("works byte by byte in both directions") {
  const auto sent = basp::client_hello(peer) + basp::wire("troupe.unknown", "x") + basp::wire("troupe.hello", "bytes");
  std::deque<scripted> steps;
  for (const char c : sent) steps.push_back({std::string(1, c)});
  guarded one{std::move(steps)};
  std::string out;
  while (one.state != flow::closed) out += one.read(1);
  CHECK(out == basp::client_hello(peer) + basp::wire("troupe.hello", "bytes"));
}

TEST_CASE("reports frames that arrived together until the last is read, because the socket does not") {
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

TEST_CASE("the other end is introduced when its handshake passes, not by ignored frames") {
  guarded one{{{basp::client_hello(self)}, {}, {basp::client_hello(peer)}, {}}};
  CHECK(one.read().empty());
  CHECK(one.watcher->times_introduced == 0);
  CHECK(one.read() == basp::client_hello(peer));
  CHECK(one.watcher->times_introduced == 1);
}

TEST_CASE("ends the connection when the memory limit is reached, and frees its buffer") {
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

TEST_CASE(
    "reads a frame of many records until the raw channel holds no bytes, because the socket does not report them") {
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

TEST_CASE("returns nothing after a violation, and reports it once") {
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

TEST_CASE("finds a violation that arrived with good frames, although the socket is not readable") {
  const auto good = basp::client_hello(peer);
  guarded one{{{good + std::string(40, '\xff')}, {}}};
  CHECK(one.read(good.size()) == good);
  // The channel reports either that there is something to read, or the end.
  REQUIRE(one.stream->holds_bytes());
  CHECK(one.read().empty());
  CHECK(one.state == flow::closed);
}

TEST_CASE("passes on `again` and `closed`") {
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

TEST_CASE("returns nothing of an incomplete frame at the end") {
  const auto hello = basp::client_hello(peer);
  guarded one{{{hello + basp::wire("troupe.hello", "bytes").substr(0, 50)}}};
  CHECK(one.read_all() == hello);
  CHECK(one.state == flow::closed);
  CHECK(one.watcher->problems.empty());
}

TEST_CASE("holds_bytes counts bytes for the reader and bytes in the raw channel") {
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

TEST_CASE("writes bytes unchanged") {
  guarded one{{}};
  CHECK(one.stream->write("anything", 8).bytes == 8);
  CHECK(one.raw->written() == "anything");
}

TEST_CASE("a connection with only dropped frames lets others have their turn") {
  std::deque<scripted> steps{{basp::client_hello(peer)}};
  for (int i = 0; i < 1000; ++i) steps.push_back({basp::wire("troupe.unknown", "x")});
  guarded one{std::move(steps)};
  CHECK(one.read() == basp::client_hello(peer));
  CHECK(one.read().empty());
  CHECK(one.state == flow::again);
  CHECK(one.raw->reads() < 100);
}

TEST_CASE("memory grows with what has arrived, not with what was announced") {
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
  // A growing buffer is copied: the old one and the new one of twice its size exist for a moment.
  CHECK(most_in_use - before <= 64 * 1024 + 4 * arrived);
}

TEST_CASE("frees the memory of a large frame after it") {
  const auto large = basp::wire("troupe.hello", std::string(8'000'000, 'x'));
  guarded one{{{basp::client_hello(peer)}, {large}, {basp::wire("troupe.hello", "x")}, {}}};
  const auto before = in_use.load();
  std::vector<char> to(100'000);
  std::size_t read = 0;
  while (one.stream->read(to.data(), to.size()).state == flow::moved || !one.raw->finished()) ++read;
  CHECK(read > 80);
  CHECK(in_use.load() < before + to.size() + 100 * 1024 - large.size());
}
