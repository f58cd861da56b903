// Fuzzes values as JSON and as MessagePack: the JSON of an accepted value must parse as the same value.
#include "raft/base/utf8.hpp"
#include "tests/fuzz/target.hpp"

#include <map>
#include <troupe/json.hpp>
#include <troupe/value.hpp>

using namespace troupe;
using namespace troupe::base;

namespace {

void try_text(std::string_view text) {
  std::string why;
  const auto given = from_json(text, &why);
  if (!given) return troupe::fuzz::check(!why.empty(), "a refusal without a reason");
  const auto shown = to_json(*given);
  troupe::fuzz::check(is_utf8(shown), "the JSON of a value is not UTF-8");
  troupe::fuzz::check(from_json(shown) == given, "the JSON of a value parses as a different one");
  troupe::fuzz::check(value::from_msgpack(given->encoded()) == given, "a value's encoding is not canonical");
}

void try_encoding(std::string_view bytes) {
  const auto given = value::from_msgpack(bytes);
  if (!given) return;
  troupe::fuzz::check(value::from_msgpack(given->encoded()) == given, "a value's encoding is not canonical");
  const auto shown = to_json(*given);
  troupe::fuzz::check(is_utf8(shown), "the JSON of a value is not UTF-8");
  // Only an object in the form of a binary is ambiguous in JSON (json_value.hpp).
  if (shown.find("\"$bin\"") == std::string::npos)
    troupe::fuzz::check(from_json(shown) == given, "the JSON of a value parses as a different one");
}

} // namespace

/// The first byte selects the encoding of the rest.
void troupe::fuzz::try_input(std::string_view bytes) {
  if (bytes.empty()) return;
  const bool text = bytes.front() % 2 == 0;
  bytes.remove_prefix(1);
  text ? try_text(bytes) : try_encoding(bytes);
}

std::vector<std::string> troupe::fuzz::seeds() {
  std::vector<std::string> all;
  for (const auto* text : {R"({"born":1815,"names":["Ada","King"],"poet":false,"died":null})",
                           R"([1,-1,1.5,1e300,-0.0,18446744073709551615])", R"({"$bin":"AAECAw=="})",
                           R"({"$bin":"AAE=","$ext":5})", R"({"$bin":"/w==","$str":true})",
                           R"("\u00e9\ud83d\ude00\n\"")", "[[[[[[[[]]]]]]]]", R"({"a":{"a":{"a":[{}]}}})",
                           R"({"a":1,"a":2})", "9223372036854775808", "-9223372036854775809", "1e400", "true"})
    all.push_back(' ' + std::string{text});
  all.push_back(" " + std::string(65, '[') + std::string(65, ']'));
  const std::map<std::string, std::vector<double>> object{{"z", {1, -2.5}}, {"a", {}}};
  const auto made = value::of(object);
  all.push_back('\1' + made.encoded());
  all.push_back('\1' + value::of(std::vector<char>{'\0', '\1'}).encoded());
  all.push_back('\1' + value::of(std::string(300, '\xff')).encoded());
  all.push_back("\1\x81\xa4$bin\xa4"
                "AAE=");
  return all;
}

std::vector<std::string> troupe::fuzz::words() {
  return {"\"$bin\":",
          "\"$ext\":",
          "\"$str\":true",
          "null",
          "true",
          "false",
          "\\u0000",
          "\\ud800",
          "{\"\":",
          "[[[[",
          "]]]]",
          "1e308",
          "-0",
          "0.1",
          "18446744073709551616",
          "\xc3\xa9",
          "\xed\xa0\x80",
          "\xf0\x9f\x98\x80",
          "\xdd\xff\xff\xff\xff",
          "\xdf\xff\xff\xff\xff",
          "\xc6\xff\xff\xff\xff",
          "\xc9\xff\xff\xff\xff",
          "\xcb\x7f\xf0",
          "\xca\x7f\xc0"};
}
