#include "tests/unit/transport/basp_frames.hpp"
#include "tests/unit/transport/dumb_reader.hpp"
#include "tests/unit/transport/message_types.hpp"
#include "tests/unit/transport/random_frames.hpp"

#include <catch2/catch.hpp>

#include <vector>

using namespace troupe::net;
using namespace troupe::net::testing;
using Catch::Contains;

namespace {

const auto self = basp::node(100, 'a');
const auto peer = basp::node(200, 'b');
const auto other = basp::node(300, 'c');

guard_options usual() { return {.types = types_of_anything({"troupe.hello", "troupe.vote_request"}), .self = self}; }

/// The verdict on a frame that is as long as its header says.
verdict offer(frame_guard& guard, std::string_view frame) {
  const auto size = guard.frame_size(frame.substr(0, frame_guard::header_size));
  if (size == 0) return verdict::violation;
  REQUIRE(size == frame.size());
  return guard.judge(frame);
}

const auto after_accepting = basp::client_hello(peer);
const auto after_dialing = basp::server_hello(peer);

const std::string& handshake_of(side here) { return here == side::accepted ? after_accepting : after_dialing; }

/// A guard whose connection has completed its handshake.
struct open_guard {
  explicit open_guard(side here, guard_options given = usual()) : options(std::move(given)), guard(here, options) {
    REQUIRE(offer(guard, handshake_of(here)) == verdict::pass);
  }
  guard_options options;
  frame_guard guard;
};

struct example {
  const char* name;
  std::string frame;
};

} // namespace

TEST_CASE("the accepting end passes a client's handshake, its repetition, and then everything else") {
  const auto options = usual();
  frame_guard guard{side::accepted, options};
  CHECK(offer(guard, basp::client_hello(peer)) == verdict::pass);
  CHECK(offer(guard, basp::wire("troupe.hello", "bytes")) == verdict::pass);
  CHECK(offer(guard, basp::client_hello(peer, basp::select_connection)) == verdict::pass);
  CHECK(offer(guard, basp::wire("troupe.hello", "bytes")) == verdict::pass);
  CHECK(offer(guard, basp::client_hello(peer, basp::select_connection)) == verdict::violation);
  CHECK_THAT(guard.problem(), Contains("out of turn"));
}

TEST_CASE("only the second handshake of a client selects the connection, and for the same node") {
  const auto options = usual();
  frame_guard too_early{side::accepted, options};
  CHECK(offer(too_early, basp::client_hello(peer, basp::select_connection)) == verdict::violation);
  open_guard twice{side::accepted};
  CHECK(offer(twice.guard, basp::client_hello(peer)) == verdict::violation);
  open_guard for_another{side::accepted};
  CHECK(offer(for_another.guard, basp::client_hello(other, basp::select_connection)) == verdict::violation);
}

TEST_CASE("the dialing end passes one server handshake, and then everything else") {
  const auto options = usual();
  frame_guard guard{side::dialed, options};
  CHECK(offer(guard, basp::server_hello(peer)) == verdict::pass);
  CHECK(offer(guard, basp::wire("troupe.hello", "bytes")) == verdict::pass);
  CHECK(offer(guard, basp::server_hello(peer)) == verdict::violation);
  CHECK_THAT(guard.problem(), Contains("out of turn"));
}

TEST_CASE("no peer may speak for this node itself: a dialer in this process disconnects when it notices") {
  const auto options = usual();
  frame_guard guard{side::accepted, options};
  CHECK(offer(guard, basp::client_hello(self)) == verdict::ignore);
  CHECK(offer(guard, basp::beat()) == verdict::violation);
  // A node that dialed itself gets its own id, and CAF ends the connection.
  frame_guard dialed{side::dialed, options};
  CHECK(offer(dialed, basp::server_hello(self)) == verdict::pass);
}

TEST_CASE("passes what CAF's brokers and our actors send to each other") {
  const auto here = GENERATE(side::accepted, side::dialed);
  open_guard open{here};
  const std::vector<example> fine{
      {"a known message", basp::wire("troupe.vote_request", std::string(1000, '\0'))},
      {"a known message without content", basp::wire("troupe.hello", "")},
      {"a known message as a response", basp::direct("@<>+troupe.hello", basp::text("x"), basp::response + 1)},
      {"an empty response", basp::direct("@<>", "", basp::response + 1)},
      {"a response of high priority", basp::direct("@<>", "", std::uint64_t{3} << 62)},
      {"message without a sender",
       basp::frame({.operation = basp::direct_message, .to = 1}, basp::message("@<>+troupe.hello", basp::text("x")))},
      {"error", basp::direct("@<>+@error", basp::error(1, "troupe"), basp::response)},
      {"error with a text", basp::direct("@<>+@error", basp::error(1, "troupe", {"why"}), basp::response)},
      {"error with two texts", basp::direct("@<>+@error", basp::error(1, "troupe", {"why", ""}), basp::response)},
      {"monitor", basp::monitor(peer, self)},
      {"down", basp::down(peer, self, basp::error(0, ""))},
      {"down with a text", basp::down(peer, self, basp::error(3, "exit", {"a disk is full"}))},
      {"down with two texts", basp::down(peer, self, basp::error(3, "exit", {"1", "2"}))}};
  for (const auto& one : fine) {
    INFO(one.name);
    CHECK(offer(open.guard, one.frame) == verdict::pass);
  }
}

TEST_CASE("ignores what CAF sends on its own and no actor needs") {
  open_guard open{side::accepted};
  CHECK(offer(open.guard, basp::beat()) == verdict::ignore);
  const basp::header to_service{
      .operation = basp::direct_message, .flags = basp::named_receiver, .to = basp::atom("SpawnServ")};
  const auto question = basp::message("@<>+@atom", basp::integer(basp::atom("get"), 8));
  CHECK(offer(open.guard, basp::frame(to_service, question)) == verdict::ignore);
  CHECK(offer(open.guard, basp::frame(to_service, "anything")) == verdict::ignore);
}

TEST_CASE("drops well-formed frames that no node expects, and the connection continues") {
  const auto here = GENERATE(side::accepted, side::dialed);
  open_guard open{here};
  const auto link = basp::integer(basp::atom("link"), 8) + peer + basp::integer(9, 8);
  const auto strange_error = [](std::string_view names, std::string_view elements) {
    return basp::direct("@<>+@error",
                        basp::integer(1, 1) + basp::integer(basp::atom("troupe"), 8) + basp::types(names) +
                            std::string{elements},
                        basp::response);
  };
  const std::vector<example> unwanted{
      {"a type that does not cross the network", basp::wire("troupe.secret", "bytes")},
      {"a prefix of a known type name", basp::wire("troupe.hell", "bytes")},
      {"a known type name with a suffix", basp::wire("troupe.hello2", "bytes")},
      {"a type of CAF", basp::direct("@<>+@i32", basp::integer(1, 4))},
      {"several types", basp::direct("@<>+troupe.hello+troupe.hello", basp::text("a") + basp::text("b"))},
      {"a known type and another one", basp::direct("@<>+troupe.hello+@i32", basp::text("a") + basp::integer(1, 4))},
      {"no type after the plus sign", basp::direct("@<>+", "")},
      {"link", basp::direct("@<>+@atom+@addr", link)},
      {"an empty message that is not a response", basp::direct("@<>")},
      {"an error that is not a response", basp::direct("@<>+@error", basp::error(1, "troupe"))},
      {"error with a number", strange_error("@<>+@i32", basp::integer(1, 4))},
      {"error with a text and a number", strange_error("@<>+@str+@i32", basp::text("why") + basp::integer(1, 4))},
      {"error with types that end early", strange_error("@<>+", "")},
      {"error with a type that is nearly a text", strange_error("@<>+@strx", "\1x")},
      {"error without its texts", strange_error("@<>+@str", "")},
      {"error with more than its texts", basp::direct("@<>+@error", basp::error(1, "troupe") + "x", basp::response)}};
  for (const auto& one : unwanted) {
    INFO(one.name);
    CHECK(offer(open.guard, one.frame) == verdict::drop);
  }
  CHECK(offer(open.guard, basp::wire("troupe.hello", "bytes")) == verdict::pass);
}

TEST_CASE("a known message type with undecodable bytes is a violation: CAF would deliver it without content") {
  auto options = usual();
  options.types["troupe.hello"] = [](std::string_view bytes) { return bytes == "well"; };
  for (const auto number : {std::uint64_t{1}, basp::response + 1}) {
    open_guard open{side::accepted, options};
    CHECK(offer(open.guard, basp::direct("@<>+troupe.hello", basp::text("well"), number)) == verdict::pass);
    CHECK(offer(open.guard, basp::direct("@<>+troupe.hello", basp::text("ill"), number)) == verdict::violation);
    CHECK(open.guard.problem() == "a message whose content does not match its type");
  }
}

TEST_CASE("with a list of receivers, only responses reach other actors") {
  auto options = usual();
  options.receivers = std::make_shared<receiver_list>();
  open_guard open{side::accepted, options};
  const auto to = [](std::uint64_t actor, std::uint64_t number) {
    return basp::frame({.operation = basp::direct_message, .data = number, .from = 1, .to = actor},
                       basp::message("@<>+troupe.hello", basp::text("x")));
  };
  CHECK(offer(open.guard, to(7, 1)) == verdict::drop);
  CHECK(offer(open.guard, to(7, basp::response)) == verdict::pass);
  options.receivers->add(7);
  CHECK(offer(open.guard, to(7, 1)) == verdict::pass);
  CHECK(offer(open.guard, to(8, 1)) == verdict::drop);
  // A malformed message is a violation for any receiver.
  CHECK(offer(open.guard, basp::frame({.operation = basp::direct_message, .to = 8}, "x")) == verdict::violation);
}

TEST_CASE("limits the actors for which one connection speaks") {
  auto options = usual();
  options.max_senders = 3;
  open_guard open{side::accepted, options};
  const auto by = [](std::uint64_t actor) {
    return basp::frame({.operation = basp::direct_message, .data = 1, .from = actor, .to = 7},
                       basp::message("@<>+troupe.hello", basp::text("x")));
  };
  for (const auto actor : {1u, 2u, 3u, 3u, 2u, 1u}) CHECK(offer(open.guard, by(actor)) == verdict::pass);
  CHECK(offer(open.guard, by(4)) == verdict::violation);
  CHECK_THAT(open.guard.problem(), Contains("too many live senders"));
}

TEST_CASE("actors that have ended do not count as senders: a connection survives any number of elections") {
  auto options = usual();
  options.max_senders = 3;
  open_guard open{side::accepted, options};
  const auto down_of = [](std::uint64_t actor) {
    return basp::frame({.operation = basp::down_message, .from = actor}, peer + self + basp::error(0, ""));
  };
  for (std::uint64_t role = 1; role < 10'000; ++role) {
    const auto message = basp::frame({.operation = basp::direct_message, .data = 1, .from = role, .to = 7},
                                     basp::message("@<>+troupe.hello", basp::text("x")));
    REQUIRE(offer(open.guard, message) == verdict::pass);
    if (role >= 3) REQUIRE(offer(open.guard, down_of(role - 2)) == verdict::pass);
  }
}

TEST_CASE("a connection must begin with the other side's handshake") {
  const auto options = usual();
  const std::vector<example> too_early{{"heartbeat", basp::beat()},
                                       {"message", basp::wire("troupe.hello", "bytes")},
                                       {"monitor", basp::monitor(peer, self)},
                                       {"down", basp::down(peer, self, basp::error(1, "exit"))}};
  for (const auto here : {side::accepted, side::dialed}) {
    for (const auto& one : too_early) {
      INFO(one.name);
      frame_guard guard{here, options};
      CHECK(offer(guard, one.frame) == verdict::violation);
      CHECK_THAT(guard.problem(), Contains("the first frame is not a handshake"));
    }
    frame_guard guard{here, options};
    CHECK(offer(guard, handshake_of(here == side::accepted ? side::dialed : side::accepted)) == verdict::violation);
  }
}

TEST_CASE("stops the handshake without a payload that crashes CAF") {
  const auto options = usual();
  frame_guard accepted{side::accepted, options};
  CHECK(accepted.frame_size(basp::frame({.operation = basp::client_handshake})) == 0);
  frame_guard dialed{side::dialed, options};
  CHECK(dialed.frame_size(basp::frame({.operation = basp::server_handshake, .data = basp::version})) == 0);
}

TEST_CASE("malformed handshakes are violations") {
  const auto options = usual();
  const auto server = [](const basp::header& h, const std::string& payload) {
    auto head = h;
    head.operation = basp::server_handshake;
    return basp::frame(head, payload);
  };
  const auto hello = after_dialing.substr(basp::header_size);
  const std::vector<example> to_dialed{
      {"no version", server({}, hello)},
      {"a flag", server({.flags = 1, .data = 3}, hello)},
      {"from an actor", server({.data = 3, .from = 1}, hello)},
      {"to an actor", server({.data = 3, .to = 1}, hello)},
      {"padding", server({.padding = 0x100, .data = 3}, hello)},
      {"no node", server({.data = 3}, basp::integer(basp::atom(""), 8) + hello.substr(32))},
      {"a node with an address", server({.data = 3}, basp::integer(basp::atom("uri"), 8) + hello.substr(8))},
      {"longer than announced", server({.data = 3}, hello + "x")},
      {"shorter than announced", server({.data = 3}, hello.substr(0, hello.size() - 1))},
      {"2^32 - 1 application names", server({.data = 3}, peer + basp::length(0xffffffff))},
      {"a name of 4 GiB", server({.data = 3}, peer + basp::length(1) + basp::length(0xffffffff) + "x")},
      {"5,000 bytes", server({.data = 3}, peer + basp::texts({std::string(5000, 'x')}) + basp::integer(1, 8) + '\0')}};
  for (const auto& one : to_dialed) {
    INFO(one.name);
    frame_guard guard{side::dialed, options};
    CHECK(offer(guard, one.frame) == verdict::violation);
    CHECK_FALSE(guard.problem().empty());
  }
  const std::vector<example> to_accepted{
      {"data", basp::frame({.operation = basp::client_handshake, .data = 3}, peer)},
      {"named receiver", basp::client_hello(peer, basp::named_receiver)},
      {"unknown flag", basp::client_hello(peer, 4)},
      {"from an actor", basp::frame({.operation = basp::client_handshake, .from = 3}, peer)},
      {"to an actor", basp::frame({.operation = basp::client_handshake, .to = 3}, peer)},
      {"more than a node", basp::client_hello(peer + "x")},
      {"less than a node", basp::client_hello(peer.substr(0, 31))},
      {"no node", basp::client_hello(basp::integer(basp::atom(""), 8))}};
  for (const auto& one : to_accepted) {
    INFO(one.name);
    frame_guard guard{side::accepted, options};
    CHECK(offer(guard, one.frame) == verdict::violation);
    CHECK_FALSE(guard.problem().empty());
  }
}

TEST_CASE("frames that no correct node sends are violations") {
  const auto ours = basp::types("@<>+troupe.hello");
  const auto framed = [](const basp::header& h) { return basp::frame(h, basp::message("@<>")); };
  const std::vector<example> bad{
      {"operation 7", framed({.operation = 7, .to = 1})},
      {"operation 255", framed({.operation = 255, .to = 1})},
      {"padding", framed({.operation = basp::direct_message, .padding = 1, .to = 1})},
      {"unknown flag", framed({.operation = basp::direct_message, .flags = 2, .to = 1})},
      {"message of a stream", framed({.operation = basp::direct_message, .data = basp::stream_category + 1, .to = 1})},
      {"message without a receiver", framed({.operation = basp::direct_message})},
      {"no payload", basp::frame({.operation = basp::direct_message, .to = 1})},
      {"routed message",
       basp::frame({.operation = basp::routed_message, .from = 1, .to = 1}, peer + self + basp::message("@<>"))},
      {"routed message for a third",
       basp::frame({.operation = basp::routed_message, .to = 1}, peer + other + std::string(2, '\0'))},
      {"heartbeat with a payload", basp::frame({.operation = basp::heartbeat}, "x")},
      {"heartbeat with data", basp::frame({.operation = basp::heartbeat, .data = 1})},
      {"heartbeat from an actor", basp::frame({.operation = basp::heartbeat, .from = 1})},
      {"heartbeat to an actor", basp::frame({.operation = basp::heartbeat, .to = 1})},
      {"heartbeat with a flag", basp::frame({.operation = basp::heartbeat, .flags = 1})},
      {"heartbeat with padding", basp::frame({.operation = basp::heartbeat, .padding = 0xff})},
      {"one stage", basp::said(basp::length(1) + peer + basp::integer(5, 8) + ours + basp::text("x"))},
      {"2^32 - 1 stages", basp::said(basp::length(0xffffffff) + ours + basp::text("x"))},
      {"a type by number", basp::said(basp::length(0) + basp::integer(1, 2) + basp::text("x"))},
      {"no types", basp::said(basp::length(0) + basp::types("troupe.hello") + basp::text("x"))},
      {"no plus sign", basp::direct("@<>-troupe.hello", basp::text("bytes"))},
      {"a length with too many groups", basp::said(basp::length(0) + ours + std::string{"\x81\x00x", 3})},
      {"0 in two groups", basp::said(std::string{"\x80\x00", 2} + ours + basp::text("x"))},
      {"a length that does not end", basp::said(basp::length(0) + ours + std::string(20, '\xff'))},
      {"a length that ends too late", basp::said(basp::length(0) + ours + std::string(9, '\xff') + "\1")},
      {"a length of 2^32 + 1", basp::said(basp::length(0) + ours + basp::length(0x100000001) + "x")},
      {"a length past the end", basp::said(basp::length(0) + ours + basp::length(2) + "x")},
      {"a length far past the end", basp::said(basp::length(0) + ours + basp::length(0xffffffff) + "x")},
      {"types past the end", basp::said(basp::length(0) + basp::integer(0, 2) + basp::length(100) + "@<>")},
      {"trailing bytes", basp::said(basp::length(0) + ours + basp::text("x") + "y")},
      {"an empty message with content", basp::direct("@<>", "x", basp::response)},
      {"monitor for another node", basp::monitor(peer, other)},
      {"monitor in another node's name", basp::monitor(other, self)},
      {"down in another node's name", basp::down(other, self, basp::error(1, "exit"))},
      {"down in another node's name, without a reason", basp::down(other, self, "")},
      {"down for another node, without a reason", basp::down(peer, other, "")},
      {"monitor without an actor", basp::frame({.operation = basp::monitor_message}, peer + self)},
      {"monitor with data", basp::frame({.operation = basp::monitor_message, .data = 1, .to = 1}, peer + self)},
      {"monitor from an actor", basp::frame({.operation = basp::monitor_message, .from = 1, .to = 1}, peer + self)},
      {"monitor with a flag", basp::frame({.operation = basp::monitor_message, .flags = 1, .to = 1}, peer + self)},
      {"monitor with trailing bytes", basp::monitor(peer, self + "x")},
      {"monitor without a node", basp::monitor(basp::integer(basp::atom(""), 8), self)},
      {"down for another node", basp::down(peer, other, basp::error(1, "exit"))},
      {"down to an actor",
       basp::frame({.operation = basp::down_message, .from = 1, .to = 1}, peer + self + basp::error(1, "exit"))},
      {"down without an actor", basp::frame({.operation = basp::down_message}, peer + self + basp::error(1, "exit"))},
      {"down with data",
       basp::frame({.operation = basp::down_message, .data = 1, .from = 1}, peer + self + basp::error(1, "exit"))},
      {"down without a reason", basp::down(peer, self, "")},
      {"down with trailing bytes", basp::down(peer, self, basp::error(1, "exit") + "x")},
      {"down with a reason of 5,000 bytes", basp::down(peer, self, basp::error(1, "exit", {std::string(5000, 'x')}))}};
  for (const auto here : {side::accepted, side::dialed})
    for (const auto& one : bad) {
      INFO(one.name);
      open_guard open{here};
      CHECK(offer(open.guard, one.frame) == verdict::violation);
      CHECK_FALSE(open.guard.problem().empty());
    }
}

TEST_CASE("a frame may be as long as the limit, but not longer") {
  auto options = usual();
  const auto empty = basp::wire("troupe.hello", "").size();
  options.max_frame_bytes = 1000;
  open_guard open{side::accepted, options};
  const auto exact = basp::wire("troupe.hello", std::string(1000 - empty - 1, 'x')); // the length needs one more byte
  REQUIRE(exact.size() == 1000);
  CHECK(offer(open.guard, exact) == verdict::pass);
  CHECK(offer(open.guard, basp::wire("troupe.hello", std::string(1000 - empty, 'x'))) == verdict::violation);
  CHECK_THAT(open.guard.problem(), Contains("1001 bytes"));
}

TEST_CASE("an announced size of gigabytes is a violation") {
  const auto announced = GENERATE(std::uint32_t{1} << 24, std::uint32_t{1} << 30, 0xffffffffu);
  open_guard open{side::accepted};
  CHECK(open.guard.frame_size(basp::frame(
            {.operation = basp::direct_message, .payload = announced, .data = 1, .from = 2, .to = 3})) == 0);
  CHECK_THAT(open.guard.problem(), Contains(std::to_string(announced + 32ull) + " bytes"));
}

TEST_CASE("without an own node id any addressee passes") {
  auto options = usual();
  options.self.clear();
  open_guard open{side::accepted, options};
  CHECK(offer(open.guard, basp::monitor(peer, other)) == verdict::pass);
  CHECK(offer(open.guard, basp::down(peer, other, basp::error(1, "exit"))) == verdict::pass);
}

TEST_CASE("a mutated frame passes if and only if a simple reader accepts it as one that CAF writes") {
  static const basp_3_dialect three;
  static const basp_8::type_ids numbers{12, 20, {5, 512}};
  static const basp_8_dialect eight{numbers};
  const basp_dialect& dialect = GENERATE(false, true) ? static_cast<const basp_dialect&>(eight) : three;
  const auto seed = GENERATE(1u, 2u, 3u);
  INFO("BASP " << dialect.version() << ", seed " << seed);
  const auto here_id = dialect.node(100, 'a');
  const auto there_id = dialect.node(200, 'b');
  auto options = usual();
  options.self = here_id;
  if (dialect.version() == 8) {
    options.format = std::make_shared<const basp_8>(numbers);
    options.types = types_of_anything({"\x02\x0d", "\x02\x0e"});
  }
  const auto hello_of = [&](side here, std::uint8_t flags = 0) {
    return here == side::accepted ? basp::client_hello(there_id, flags)
                                  : basp::server_hello(there_id, dialect.version());
  };
  frame_source source{seed, dialect, here_id, there_id, names_of(options.types)};
  int passed = 0;
  for (int round = 0; round < 20'000; ++round) {
    const auto here = source.pick(0, 1) == 0 ? side::accepted : side::dialed;
    frame_guard guard{here, options};
    dumb_reader reader{here, dialect, options};
    if (source.pick(0, 9) != 0) {
      REQUIRE(offer(guard, hello_of(here)) == verdict::pass);
      REQUIRE(reader.accepts(hello_of(here)));
    }
    auto frame = source.pick(0, 19) == 0  ? source.long_error()
                 : source.pick(0, 3) != 0 ? source.valid()
                                          : hello_of(here, source.pick(0, 1) == 0 ? 0 : basp::select_connection);
    source.mutate(frame);
    if (frame.size() < frame_guard::header_size) continue;
    const auto size = guard.frame_size(std::string_view{frame}.substr(0, frame_guard::header_size));
    if (size > frame.size() + 64) continue; // the guard waits for more bytes
    const auto pass = size != 0 && (frame.resize(size), guard.judge(frame) == verdict::pass);
    if (reader.accepts(frame) != pass)
      FAIL("round " << round << ": the guard says " << (pass ? "pass" : "no: " + guard.problem()));
    passed += pass;
  }
  // Otherwise this test would prove nothing.
  CHECK(passed > 1'000);
}
