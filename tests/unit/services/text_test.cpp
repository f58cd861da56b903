#include "raft/base/base64.hpp"
#include "raft/base/utf8.hpp"
#include "tests/unit/services/random_value.hpp"

#include <catch2/catch.hpp>
#include <cstdint>
#include <troupe/printable.hpp>

using namespace troupe;
using namespace troupe::base;
using namespace troupe::test;

namespace {

/// Decodes according to the definition: bits, then ranges.
bool reference_is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto first = static_cast<unsigned char>(text[i++]);
    if (first < 0x80) continue;
    const int more = (first & 0xe0) == 0xc0 ? 1 : (first & 0xf0) == 0xe0 ? 2 : (first & 0xf8) == 0xf0 ? 3 : 0;
    if (more == 0) return false;
    std::uint32_t point = first & (0x3fu >> more);
    for (int k = 0; k < more; ++k, ++i) {
      if (i == text.size() || (static_cast<unsigned char>(text[i]) & 0xc0) != 0x80) return false;
      point = point << 6 | (static_cast<unsigned char>(text[i]) & 0x3fu);
    }
    const std::uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    if (point < least[more] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) return false;
  }
  return true;
}

} // namespace

TEST_CASE("is_utf8 follows the definition of UTF-8") {
  for (unsigned a = 0; a < 256; ++a)
    for (unsigned b = 0; b < 256; ++b)
      for (const std::string_view rest : {"", "\x80", "\xbf\xbf", "a"}) {
        const auto text = std::string{static_cast<char>(a), static_cast<char>(b)}.append(rest);
        if (is_utf8(text) != reference_is_utf8(text))
          FAIL("bytes " << a << " " << b << " and " << rest.size() << " more");
      }
  CHECK(is_utf8(""));
  CHECK(is_utf8("é€𝄞"));
}

TEST_CASE("base64 follows RFC 4648") {
  CHECK(to_base64("") == "");
  CHECK(to_base64("f") == "Zg==");
  CHECK(to_base64("fo") == "Zm8=");
  CHECK(to_base64("foo") == "Zm9v");
  CHECK(to_base64("foobar") == "Zm9vYmFy");
  CHECK(to_base64("\xfb\xff") == "+/8=");
  for (unsigned seed = 1; seed <= 500; ++seed) {
    INFO("seed " << seed);
    rng random(seed);
    const auto data = random_bytes(random, 50);
    REQUIRE(from_base64(to_base64(data)) == data);
    // Decoding is the inverse of encoding: an accepted text encodes to itself.
    auto text = to_base64(data);
    if (!text.empty()) text[below(random, text.size())] = static_cast<char>(below(random, 256));
    if (const auto read = from_base64(text)) REQUIRE(to_base64(*read) == text);
  }
  for (const auto* bad : {"Z", "Zg", "Zg=", "Zh==", "Zm9=", "Zg==Zg==", "====", "Z===", "Zm9v\n", "Zm-v", "=Zg="})
    CHECK_FALSE(from_base64(bad));
}

TEST_CASE("bytes of unknown origin are printable in a message") {
  CHECK(printable("put") == "\"put\"");
  CHECK(printable(std::string_view("a\"\\\0\xff", 5)) == R"("a\x22\x5c\x00\xff")");
  CHECK(printable(std::string(65, 'x')) == '"' + std::string(64, 'x') + "...\"");
}

TEST_CASE("plain_text removes control characters and keeps UTF-8") {
  CHECK(plain_text("caf\u00e9 \u20ac \U0001f600") == "caf\u00e9 \u20ac \U0001f600");
  CHECK(plain_text("a\x1b[2J\r\n\x7f") == "a?[2J???");
  CHECK(plain_text("\xc2\x9b"
                   "2J") == "?2J"); // C1 as a character
  CHECK(plain_text("\x9b"
                   "2J \xff\xc3") == "?2J ??");
  CHECK(plain_text("\xc2\xa0") == "\xc2\xa0");
}
