#include "services/command.hpp"

#include "tests/unit/services/random_value.hpp"

#include <catch2/catch.hpp>
#include <stdexcept>

using namespace troupe;
using namespace troupe::services;
using namespace troupe::test;

TEST_CASE("an envelope decodes to its parts") {
  CHECK(encode_command("map", "put", "xyz") == "\x01\x03map\x03putxyz");
  for (unsigned seed = 1; seed <= 500; ++seed) {
    INFO("seed " << seed);
    rng random(seed);
    const auto service = "s" + random_bytes(random, 254), tag = "t" + random_bytes(random, 254);
    const auto payload = random_bytes(random, 100);
    const auto envelope = encode_command(service, tag, payload);
    REQUIRE(decode_command(envelope) == command_view{service, tag, payload});
    // Truncated before the payload it is not an envelope; truncated within it, the payload is shorter.
    for (std::size_t size = 0; size < envelope.size(); ++size)
      REQUIRE(decode_command(std::string_view(envelope).substr(0, size)).has_value() ==
              (size >= envelope.size() - payload.size()));
  }
}

TEST_CASE("rejects names that do not fit their length byte") {
  CHECK_NOTHROW(encode_command(std::string(255, 's'), std::string(255, 't'), ""));
  CHECK_THROWS_AS(encode_command(std::string(256, 's'), "t", ""), std::length_error);
  CHECK_THROWS_AS(encode_command("s", std::string(256, 't'), ""), std::length_error);
  CHECK_THROWS_AS(encode_command("", "t", ""), std::length_error);
  CHECK_THROWS_AS(encode_command("s", "", ""), std::length_error);
}

TEST_CASE("explains in printable characters what is wrong with an envelope") {
  CHECK(why_no_command("") == "the command is empty");
  CHECK(why_no_command("\x07zzz") == "the command is of unknown format 7");
  CHECK(why_no_command("\x01\x09zzz") == "the command ends within its service name or tag, or lacks one");
  CHECK(why_no_service("a\nb") == "there is no service \"a\\x0ab\"");
}

TEST_CASE("rejects bytes that are not an envelope") {
  for (const std::string_view bytes : {"", "\x01", "\x02\x01s\x01t", "\x01\x05map", "\x01\x01s\x09t"})
    CHECK_FALSE(decode_command(bytes));
  CHECK_FALSE(decode_command(std::string_view("\x01\x00\x01t", 4)));
  CHECK_FALSE(decode_command(std::string_view("\x01\x01s\x00", 4)));
  for (unsigned seed = 1; seed <= 5000; ++seed) {
    INFO("seed " << seed);
    rng random(seed);
    auto bytes = random_bytes(random, 30);
    if (!bytes.empty() && seed % 2) bytes[0] = 1;
    if (const auto view = decode_command(bytes))
      REQUIRE(encode_command(view->service, view->tag, view->payload) == bytes);
  }
}
