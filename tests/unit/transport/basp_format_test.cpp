// The payloads of the versions of BASP: node ids, messages and errors, complete and cut off, and a guard for each
// version.
#include "runtime/transport/basp_format.hpp"
#include "runtime/transport/frame_guard.hpp"
#include "tests/unit/transport/basp8_frames.hpp"

#include <catch2/catch.hpp>

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

namespace troupe::net {
namespace {

using namespace std::string_literals;
using Catch::Contains;
namespace basp = testing::basp;
using basp::integer;
using basp::length;
using basp::text;

namespace basp8 {

using namespace testing::basp8;
constexpr std::uint16_t error_type = 20;
constexpr std::uint16_t own_errors = 512;
constexpr std::uint16_t hello_type = 525;

} // namespace basp8

const basp_3 three;
const basp_8 eight{{basp8::string_type, basp8::error_type, {5, basp8::own_errors}}};

bool is_node_id(const basp_format& format, std::string_view bytes) {
  payload_reader in{bytes};
  const auto id = format.get_node_id(in);
  CHECK(id == (in.ok() ? bytes.substr(0, id.size()) : ""));
  return in.done();
}
bool is_error(const basp_format& format, std::string_view bytes) {
  payload_reader in{bytes};
  format.skip_error(in);
  return in.done();
}
/// Whether the bytes are accepted, and no shorter part of them.
template <class Check> bool only_whole(Check check, const std::string& bytes) {
  for (std::size_t size = 0; size < bytes.size(); ++size)
    if (check(std::string_view{bytes}.substr(0, size))) return false;
  return check(bytes) && !check(bytes + 'x');
}

TEST_CASE("a node id is of the kind that CAF generates, and complete") {
  CHECK(only_whole([](std::string_view part) { return is_node_id(three, part); }, basp::node(7, 'h')));
  CHECK(only_whole([](std::string_view part) { return is_node_id(eight, part); }, basp8::node(7, 'h')));
  auto other = basp::node(7, 'h');
  other[7] = 'x';
  CHECK_FALSE(is_node_id(three, other));
  for (const char kind : {'\0', '\2', '\xff'}) { // a URI, no such kind, no node
    other = basp8::node(7, 'h');
    other[0] = kind;
    CHECK_FALSE(is_node_id(eight, other));
  }
}

TEST_CASE("BASP 3: the head of a message has no stages, and names the types after two bytes that are zero") {
  const auto head_of = [](const std::string& bytes) {
    payload_reader in{bytes};
    const auto head = three.get_head(in);
    CHECK((in.done() || head.types.empty()));
    return in.done() ? std::string{head.types} : "refused";
  };
  CHECK(head_of(basp::message("@<>")).empty());
  CHECK(head_of(basp::message("@<>+@str")) == "@str");
  CHECK(head_of(basp::message("@<>+@str+@u8")) == "@str+@u8");
  CHECK(head_of("\0\0\1"s + text("@<>+@str")) == "refused");
  CHECK(head_of("\1\0\0"s + text("@<>+@str")) == "refused");
  for (const auto* names : {"", "@<", "abc", "@str", "@<>@str"}) CHECK(head_of(basp::message(names)) == "refused");
  const auto error = basp::message("@<>+@error");
  payload_reader in{error};
  CHECK(three.get_head(in).kind == basp_format::content::error);
}

TEST_CASE("BASP 3: an error's context consists of strings") {
  const auto error = [](std::string_view types, std::initializer_list<std::string_view> elements) {
    auto bytes = "\x07"s + "category" + "\0\0"s + text(types);
    for (const auto one : elements) bytes += text(one);
    return bytes;
  };
  const auto accepted = [](std::string_view bytes) { return is_error(three, bytes); };
  CHECK(accepted(error("@<>", {})));
  CHECK(accepted(error("@<>+@str", {"a"})));
  CHECK(only_whole(accepted, error("@<>+@str+@str", {"a", ""})));
  for (const char* types : {"", "@str", "abc+@str", "@<>@str", "@<>+", "@<>+@u8", "@<>+@st"}) {
    CHECK_FALSE(accepted(error(types, {})));
    CHECK_FALSE(accepted(error(types, {"a"})));
  }
  for (const char* types : {"@<>+@str@str", "@<>+@str-@str", "@<>+@str+", "@<>+@str+@u8"}) {
    CHECK_FALSE(accepted(error(types, {"a"})));
    CHECK_FALSE(accepted(error(types, {"a", "b"})));
  }
}

TEST_CASE("after a failure nothing is read in either version of BASP") {
  for (const basp_format* format : {static_cast<const basp_format*>(&three), static_cast<const basp_format*>(&eight)}) {
    const auto bytes = basp::message("@<>+@str") + integer(0, 1);
    payload_reader in{bytes};
    in.fail();
    CHECK(format->get_node_id(in).empty());
    CHECK(format->get_head(in).types.empty());
    format->skip_error(in);
    CHECK_FALSE(in.ok());
  }
}

TEST_CASE("BASP 8: the head of a message has the numbers of its types") {
  const auto head_of = [](const std::string& bytes) {
    payload_reader in{bytes};
    const auto head = eight.get_head(in);
    return in.done() ? std::pair{head.kind, std::string{head.types}}
                     : std::pair{basp_format::content::nothing, "refused"s};
  };
  using content = basp_format::content;
  CHECK(head_of(basp8::types({})) == std::pair{content::nothing, ""s});
  CHECK(head_of(basp8::types({basp8::error_type})) == std::pair{content::error, basp_8::written(basp8::error_type)});
  CHECK(head_of(basp8::types({basp8::hello_type})) == std::pair{content::other, "\x02\x0d"s});
  CHECK(head_of(basp8::types({1, 2})) == std::pair{content::other, "\0\1\0\2"s});
  CHECK(head_of(basp8::types({basp8::hello_type}).substr(0, 2)).second == "refused");
  CHECK(head_of(length(UINT32_MAX) + "ab").second == "refused");
  CHECK(head_of("\x80\0"s).second == "refused");
}

TEST_CASE("BASP 8: an error is of a known category, and its context consists of strings") {
  const auto accepted = [](std::string_view bytes) { return is_error(eight, bytes); };
  CHECK(accepted(integer(0, 1)));
  CHECK(accepted(basp8::error(7, 5)));
  CHECK(only_whole(accepted, basp8::error(7, basp8::own_errors, {"why", "", "where"})));
  CHECK_FALSE(accepted(basp8::error(7, 6))); // CAF would end the process when it shows the error
  CHECK_FALSE(accepted(integer(2, 1) + basp8::error(7, 5).substr(1)));
  auto no_code = basp8::error(7, 5);
  no_code[1] = '\0';
  CHECK_FALSE(accepted(no_code)); // CAF would load it as an error that says "done"
  // CAF refuses a list of 65,535 types, and keeps every shorter one.
  for (const std::size_t count : {std::size_t{16}, std::size_t{17}, std::size_t{65'535}}) {
    auto long_context = integer(1, 1) + integer(7, 1) + integer(5, 2) + length(count);
    for (std::size_t i = 0; i < count; ++i) long_context += integer(basp8::string_type, 2);
    CHECK(accepted(long_context + std::string(count, '\0')) == (count == 16));
  }
  auto number = basp8::error(7, 5, {"why"});
  number[6] = '\1'; // the type of the context's element
  CHECK_FALSE(accepted(number));
}

TEST_CASE("a client's handshake shows the version of BASP") {
  CHECK(version_of_client(basp::node(7, 'h')) == 3);
  CHECK(version_of_client(basp8::node(7, 'h')) == 8);
  CHECK_FALSE(version_of_client(""));
  CHECK_FALSE(version_of_client(basp8::node(7, 'h') + "x"));
}

/// A guard that speaks BASP 8.
struct guard_8 {
  explicit guard_8(side here, frame_guard::claim_check claim = {}) : guard(here, options, std::move(claim)) {}

  verdict offer(const std::string& frame) {
    const auto size = guard.frame_size(std::string_view{frame}.substr(0, frame_guard::header_size));
    if (size == 0) return verdict::violation;
    REQUIRE(size == frame.size());
    return guard.judge(frame);
  }

  std::string self = basp8::node(1, 'a');
  std::string peer = basp8::node(2, 'b');
  guard_options options{
      .format = std::make_shared<const basp_8>(eight),
      .types = {{basp_8::written(basp8::hello_type), [](std::string_view bytes) { return bytes == "hello"; }}},
      .self = self};
  frame_guard guard;
};

TEST_CASE("BASP 8: the guard passes what nodes send to each other, and nothing else") {
  guard_8 open{side::accepted};
  REQUIRE(open.offer(basp::client_hello(open.peer)) == verdict::pass);
  const auto hello = basp8::types({basp8::hello_type}) + text("hello");
  CHECK(open.offer(basp::said(hello)) == verdict::pass);
  CHECK(open.offer(basp::said(hello + "x")) == verdict::violation);
  CHECK(open.offer(basp::said(basp8::types({basp8::hello_type}) + text("hullo"))) == verdict::violation);
  CHECK(open.offer(basp::said(basp8::types({basp8::string_type}) + text("hello"))) == verdict::drop);
  CHECK(open.offer(basp::said(basp8::types({basp8::hello_type, basp8::hello_type}) + text("hello"))) == verdict::drop);
  CHECK(open.offer(basp::said(basp8::types({}))) == verdict::drop);
  CHECK(open.offer(basp::said(basp8::types({}), basp::response)) == verdict::pass);
  const auto error = basp8::types({basp8::error_type}) + basp8::error(7, basp8::own_errors, {"why"});
  CHECK(open.offer(basp::said(error)) == verdict::drop);
  CHECK(open.offer(basp::said(error, basp::response)) == verdict::pass);
  CHECK(open.offer(basp::monitor(open.peer, open.self)) == verdict::pass);
  CHECK(open.offer(basp::monitor(open.self, open.peer)) == verdict::violation);
  CHECK(open.offer(basp::down(open.peer, open.self, basp8::error(7, 5))) == verdict::pass);
  CHECK(open.offer(basp::down(open.peer, open.self, integer(0, 1))) == verdict::pass);
  CHECK(open.offer(basp::down(open.peer, open.self, basp8::error(7, 6))) == verdict::violation);
  CHECK(open.offer(basp::down(open.self, open.peer, "")) == verdict::violation);
  CHECK(open.offer(basp::beat()) == verdict::ignore);
  CHECK(open.offer(basp::client_hello(open.peer, basp::select_connection)) == verdict::violation); // BASP 3 only

  guard_8 dialed{side::dialed};
  CHECK(dialed.offer(basp::server_hello(dialed.peer, 8)) == verdict::pass);
  CHECK(dialed.offer(basp::said(hello)) == verdict::pass);
}

TEST_CASE("BASP 8: a peer that claims to be a connected node must end the connection") {
  guard_8 held{side::accepted, [](std::string_view) { return claim_outcome::taken; }};
  CHECK(held.offer(basp::client_hello(held.peer)) == verdict::ignore);
  CHECK(held.offer(basp::monitor(held.peer, held.self)) == verdict::violation);
  CHECK(held.guard.kind() == incident::identity_refused);
}

TEST_CASE("a guard names the version of BASP that the other end speaks") {
  const guard_options options;
  frame_guard accepted{side::accepted, options};
  const auto client = basp::client_hello(basp8::node(2, 'b'));
  REQUIRE(accepted.frame_size(client) == client.size());
  CHECK(accepted.judge(client) == verdict::violation);
  CHECK_THAT(accepted.problem(), Contains("it speaks BASP 8, this node BASP 3"));
  frame_guard dialed{side::dialed, options};
  CHECK(dialed.frame_size(basp::server_hello(basp8::node(2, 'b'), 8)) == 0);
  CHECK_THAT(dialed.problem(), Contains("it speaks BASP 8, this node BASP 3"));

  guard_8 newer{side::accepted};
  CHECK(newer.offer(basp::client_hello(basp::node(2, 'b'))) == verdict::violation);
  CHECK_THAT(newer.guard.problem(), Contains("it speaks BASP 3, this node BASP 8"));
  guard_8 dialing{side::dialed};
  CHECK(dialing.offer(basp::server_hello(basp::node(2, 'b'))) == verdict::violation);
  CHECK_THAT(dialing.guard.problem(), Contains("it speaks BASP 3, this node BASP 8"));
}

} // namespace
} // namespace troupe::net
