#include <troupe/json.hpp>

#include "tests/unit/services/random_value.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <chrono>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>

using namespace troupe;
using namespace troupe::test;

using troupe::from_json;
using troupe::members_from_json;
using troupe::to_json;

namespace {

std::string why_not(std::string_view text) {
  std::string why = "accepted";
  static_cast<void>(from_json(text, &why));
  return why;
}

/// Converts JSON to a value and back to text.
std::string through(std::string_view text) {
  std::string why;
  const auto made = from_json(text, &why);
  return made ? to_json(*made) : "refused: " + why;
}

bool mentions(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

} // namespace

TEST_CASE("JSON converts to a value and back to canonical JSON") {
  CHECK(through("null") == "null");
  CHECK(through(" [1, {\"a\": 2}] ") == R"([1,{"a":2}])");
  CHECK(through(R"({"bb":1,"a":[true,false,null],"c":{}})") == R"({"a":[true,false,null],"c":{},"bb":1})");
  CHECK(through("[]") == "[]");
  CHECK(through("[[],[[]],{}]") == "[[],[[]],{}]");
  CHECK(through(R"("a\u0000\"\\\/\né€\ud834\udd1e")") == "\"a\\u0000\\\"\\\\/\\u000aé€𝄞\"");
  CHECK(through(R"(["[","{",","])") == R"(["[","{",","])");
}

TEST_CASE("numbers keep their kind and every digit") {
  CHECK(through("0") == "0");
  CHECK(through("-0") == "0");
  CHECK(through("1.0") == "1.0");
  CHECK(through("1e0") == "1.0");
  CHECK(through("-0.0") == "-0.0");
  CHECK(through("0.1") == "0.1");
  CHECK(through("1e300") == "1e+300");
  CHECK(through("5e-324") == "5e-324");
  CHECK(through("18446744073709551615") == "18446744073709551615");
  CHECK(through("-9223372036854775808") == "-9223372036854775808");
  CHECK(from_json("1") != from_json("1.0"));
  CHECK(mentions(why_not("18446744073709551616"), "fits neither"));
  CHECK(mentions(why_not("[-9223372036854775809]"), "fits neither"));
  CHECK(why_not("1e400") != "accepted");
  CHECK(why_not("NaN") != "accepted");
  CHECK(why_not("-Infinity") != "accepted");
}

TEST_CASE("rejects bad JSON with a reason") {
  for (const auto* text : {"", " ", "{", "[1,]", "{\"a\"}", "{a:1}", "'a'", "1 2", "nul", "\"\xff\"", "\"\x01\"", "[1}",
                           "// c\n1", "01", "\"\\ud834\""}) {
    INFO(text);
    CHECK_FALSE(from_json(text));
    CHECK_FALSE(why_not(text).empty());
    CHECK_FALSE(mentions(why_not(text), "json.exception"));
  }
  CHECK(mentions(why_not(std::string_view("1\0", 2)), "zero byte"));
  CHECK(mentions(why_not(std::string_view("\"a\0\"", 4)), "zero byte"));
  CHECK(why_not(R"({"a":1,"b":2,"a":3})") == "an object has the same key twice");
  CHECK(why_not(R"({"a":1,"\u0061":3})") == "an object has the same key twice");
}

TEST_CASE("JSON nests 64 deep and not 65") {
  const auto arrays = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  const auto objects = [](std::size_t depth) {
    std::string out;
    for (std::size_t i = 1; i < depth; ++i) out += "{\"$bin\":";
    return out + "{}" + std::string(depth - 1, '}');
  };
  CHECK(through(arrays(64)) == arrays(64));
  CHECK(through(objects(64)) == objects(64));
  CHECK(why_not(arrays(65)) == "it is nested deeper than 64");
  CHECK(why_not(objects(65)) == "it is nested deeper than 64");
  CHECK(why_not(arrays(1'000'000)) == "it is nested deeper than 64");
  CHECK(why_not(std::string(1'000'000, '[')) == "it is nested deeper than 64");
}

TEST_CASE("types that JSON lacks convert to $bin and back") {
  const auto bin = *value::from_msgpack(std::string_view("\xc4\x02\x00\x01", 4));
  const auto ext = *value::from_msgpack(std::string_view("\xd5\xfb\x00\x01", 4));
  const auto str = *value::from_msgpack("\xa1\xff");
  CHECK(to_json(bin) == R"({"$bin":"AAE="})");
  CHECK(to_json(ext) == R"({"$bin":"AAE=","$ext":-5})");
  CHECK(to_json(str) == R"({"$bin":"/w==","$str":true})");
  CHECK(from_json(to_json(bin)) == bin);
  CHECK(from_json(to_json(ext)) == ext);
  CHECK(from_json(R"({"$ext":-5,"$bin":"AAE="})") == ext);
  CHECK(from_json(to_json(str)) == str);
  CHECK(from_json(R"([{"a":{"$bin":""}}])")->encoded() == std::string("\x91\x81\xa1"
                                                                      "a\xc4\x00",
                                                                      6));
  CHECK(through(R"({"$bin":"","$ext":127})") == R"({"$bin":"","$ext":127})");
}

TEST_CASE("an object that only resembles $bin is an ordinary object") {
  for (const auto* text :
       {R"({"$bin":1})", R"({"$bin":"A"})", R"({"$bin":"AAF="})", R"({"$bin":"AAE=","x":1})",
        R"({"$bin":"AAE=","$ext":128})", R"({"$bin":"AAE=","$ext":-129})", R"({"$bin":"AAE=","$ext":1.0})",
        R"({"$bin":"AAE=","$str":false})", R"({"$bin":"AAE=","$str":true})", R"({"$bin":"/w==","$ext":1,"$str":true})",
        R"({"$ext":1,"$str":true})", R"({"$bin":{"$bin":"A"}})", R"({"$bin":["AAE="]})"}) {
    INFO(text);
    CHECK(from_json(text)->encoded().front() != '\xc4');
    CHECK(nlohmann::json::parse(through(text)) == nlohmann::json::parse(text));
  }
  CHECK(why_not(R"({"$bin":"AAE=","$bin":"AAE="})") == "an object has the same key twice");
}

TEST_CASE("any value converts to JSON and back, and another parser reads the same") {
  for (unsigned seed = 1; seed <= 5000; ++seed) {
    INFO("seed " << seed);
    rng random(seed);
    const auto original = *value::from_msgpack(encoder{}(random_node(random, 4)));
    const auto text = to_json(original);
    INFO(text);
    REQUIRE(nlohmann::json::accept(text));
    REQUIRE(from_json(text) == original);
    REQUIRE(through(nlohmann::json::parse(text).dump()) == text);
  }
}

TEST_CASE("mutated JSON never crashes, and is rejected if another parser rejects it") {
  for (unsigned seed = 1; seed <= 10000; ++seed) {
    INFO("seed " << seed);
    rng random(seed);
    auto text = to_json(*value::from_msgpack(encoder{}(random_node(random, 3))));
    for (auto n = below(random, 3); n > 0; --n)
      text[below(random, text.size())] = "[]{},:\"\\0eE.-+ntf\x80\x1f"[below(random, 20)];
    INFO(text);
    if (from_json(text)) REQUIRE(nlohmann::json::accept(text));
  }
}

TEST_CASE("a size limit applies to the encoding, is exact, and ends the parsing when it is exceeded") {
  for (unsigned seed = 1; seed <= 1000; ++seed) {
    INFO("seed " << seed);
    rng random(seed);
    const auto any = *value::from_msgpack(encoder{}(random_node(random, 4)));
    const auto text = to_json(any);
    std::string why;
    CHECK(from_json(text, &why, any.size()) == any);
    CHECK_FALSE(from_json(text, &why, any.size() - 1));
    CHECK(mentions(why, "larger than"));
    const auto members = members_from_json("{\"a\": " + text + ", \"b\": 1}", &why, any.size());
    REQUIRE(members);
    CHECK((*members)[0].second == any);
    CHECK_FALSE(members_from_json("{\"b\": 1, \"a\": " + text + "}", &why, any.size() - 1));
  }
  // The rest is not parsed.
  CHECK(mentions(
      [] {
        std::string why;
        static_cast<void>(from_json("[1,2,3,4,5,6,7,8,9,10" + std::string(100, ' ') + ",,,", &why, 1));
        static_cast<void>(from_json("[\"" + std::string(100, 'x') + "\",,,", &why, 50));
        return why;
      }(),
      "larger than 50 bytes"));
}

TEST_CASE("nested objects around $bin take time proportional to their size") {
  // An earlier version unpacked every level again at its end.
  const auto made = [](std::size_t levels, std::size_t zeros) {
    std::string text;
    for (std::size_t i = 0; i < levels; ++i) text += "{\"$bin\":";
    text += "[0";
    for (std::size_t i = 1; i < zeros; ++i) text += ",0";
    text += "]";
    return text + std::string(levels, '}');
  };
  CHECK(from_json(made(62, 100'000)));
  const auto time_of = [&](std::size_t levels) {
    const auto text = made(levels, 300'000);
    auto best = std::chrono::steady_clock::duration::max();
    for (int i = 0; i < 5; ++i) {
      const auto begun = std::chrono::steady_clock::now();
      static_cast<void>(from_json(text));
      best = std::min(best, std::chrono::steady_clock::now() - begun);
    }
    return best;
  };
  CHECK(time_of(62) < 5 * time_of(1));
}

TEST_CASE("the members of an object are separate values") {
  std::string why;
  const auto deep = std::string(64, '[') + std::string(64, ']');
  const auto members = members_from_json(" {\"a\": " + deep + ", \"b\": {\"$bin\": \"AAE=\"}, \"a\": null} ", &why);
  REQUIRE(members);
  REQUIRE(members->size() == 3);
  CHECK((*members)[0].first == "a");
  CHECK(to_json((*members)[0].second) == deep);
  CHECK(to_json((*members)[1].second) == R"({"$bin":"AAE="})");
  CHECK((*members)[2].first == "a");
  CHECK(members_from_json("{}", &why)->empty());
  for (const auto* text :
       {"", "1", "[]", "null", "\"a\"", "{", "{\"a\"}", "{\"a\":1,}", "{\"a\":1}x", "{a:1}", "[{}]"}) {
    INFO(text);
    why.clear();
    CHECK_FALSE(members_from_json(text, &why));
    CHECK_FALSE(why.empty());
  }
}

TEST_CASE("an error quotes little of the text") {
  CHECK(why_not("\"" + std::string(100'000, 'x')).size() <= 210);
  CHECK(why_not("[" + std::string(100'000, '7') + "]").size() <= 210);
  CHECK(why_not(std::string(100'000, 'x')).size() <= 210);
}
