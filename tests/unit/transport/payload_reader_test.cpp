// CAF's binary format: integers, lengths and strings, complete and cut off.
#include "runtime/transport/payload_reader.hpp"

#include <catch2/catch.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace troupe::net {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;

std::string length(std::uint32_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>((value & 0x7f) | 0x80);
  return bytes + static_cast<char>(value);
}
std::string text(const std::string& content) { return length(static_cast<std::uint32_t>(content.size())) + content; }

/// The length that these bytes consist of; nullopt if it is not accepted.
std::optional<std::uint32_t> length_of(std::string_view bytes) {
  payload_reader in{bytes};
  const auto value = in.get_length();
  if (!in.ok()) CHECK(value == 0);
  return in.done() ? std::optional{value} : std::nullopt;
}

TEST_CASE("integers are in network order") {
  payload_reader in{"\x01\x02\x03\x04\x05\x06\x07\x80\x81\x82\x83\x84\x85\x86\x87"sv};
  CHECK(in.get<std::uint8_t>() == 0x01);
  CHECK(in.get<std::uint16_t>() == 0x0203);
  CHECK(in.get<std::uint32_t>() == 0x04050607);
  CHECK(in.get<std::uint64_t>() == 0x8081828384858687);
  CHECK(in.done());
}

TEST_CASE("after a failure all results are zero or empty") {
  payload_reader in{"\xff\xff\xff\xff"sv};
  CHECK(in.get<std::uint64_t>() == 0);
  CHECK_FALSE(in.ok());
  CHECK_FALSE(in.done());
  CHECK(in.get<std::uint8_t>() == 0);
  CHECK(in.get_length() == 0);
  CHECK(in.get_string().empty());
  CHECK_FALSE(in.ok());
}

TEST_CASE("lengths are read up to 32 bits") {
  for (const std::uint32_t value :
       {0u, 1u, 0x7fu, 0x80u, 0x3fffu, 0x4000u, 0xffffffu, 0x0fffffffu, 0x10000000u, UINT32_MAX})
    CHECK(length_of(length(value)) == value);
  CHECK_FALSE(length_of("\x80\x80\x80\x80\x10"));     // 2^32
  CHECK_FALSE(length_of("\xff\xff\xff\xff\x7f"));     // 35 bits
  CHECK_FALSE(length_of("\xff\xff\xff\xff\xff\x01")); // six groups
}

TEST_CASE("a length that is cut off or not in its shortest encoding is refused") {
  CHECK_FALSE(length_of(""));
  CHECK_FALSE(length_of("\xff"));
  CHECK_FALSE(length_of("\xff\xff"));
  CHECK_FALSE(length_of("\x80\0"s));
  CHECK_FALSE(length_of("\xff\0"s));
  CHECK_FALSE(length_of("\xff\x80\0"s));
}

TEST_CASE("a string that is longer than the rest is refused") {
  payload_reader in{"\x03"
                    "ab"sv};
  CHECK(in.get_string().empty());
  CHECK_FALSE(in.ok());
  const auto too_long = length(UINT32_MAX) + "ab";
  payload_reader huge{too_long};
  CHECK(huge.get_string().empty());
  CHECK_FALSE(huge.ok());
}

TEST_CASE("a list of strings has as many as it says") {
  const auto list = length(2) + text("a") + text("");
  payload_reader in{list};
  in.skip_strings();
  CHECK(in.done());
  payload_reader cut{std::string_view{list}.substr(0, list.size() - 1)};
  cut.skip_strings();
  CHECK_FALSE(cut.ok());
}

} // namespace
} // namespace troupe::net
