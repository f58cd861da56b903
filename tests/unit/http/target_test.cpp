#include <troupe/http/target.hpp>

#include <catch2/catch.hpp>

#include <random>
#include <string>
#include <vector>

using namespace troupe::http;
using strings = std::vector<std::string>;
using pairs = std::vector<std::pair<std::string, std::string>>;

TEST_CASE("keeps empty segments and escaped slashes") {
  CHECK(parse_target("/")->segments == strings{""});
  CHECK(parse_target("/put")->segments == strings{"put"});
  CHECK(parse_target("/v1/maps/m/")->segments == strings{"v1", "maps", "m", ""});
  CHECK(parse_target("/v1/maps/m")->segments == strings{"v1", "maps", "m"});
  CHECK(parse_target("//a//")->segments == strings{"", "a", "", ""});
  CHECK(parse_target("/a%2Fb/%2f?x")->segments == strings{"a/b", "/"});
  CHECK(parse_target("/a+b%20c/%C3%BC/\xC3\xBC")->segments == strings{"a+b c", "\xC3\xBC", "\xC3\xBC"});
  CHECK(parse_target("/%00")->segments == strings{std::string(1, '\0')});
  CHECK(parse_target("/a%3Fb")->segments == strings{"a?b"});
}

TEST_CASE("decodes parameters in order") {
  CHECK(parse_target("/p?map=m&key=a%26b%3Dc&value=1+2%2B3")->query ==
        pairs{{"map", "m"}, {"key", "a&b=c"}, {"value", "1 2+3"}});
  CHECK(parse_target("/p?a&b=&=c&&d=e=f&a=2")->query ==
        pairs{{"a", ""}, {"b", ""}, {"", "c"}, {"d", "e=f"}, {"a", "2"}});
  CHECK(parse_target("/p?")->query.empty());
  CHECK(parse_target("/p?a=/?")->query == pairs{{"a", "/?"}});
}

TEST_CASE("refuses targets that cannot be decoded") {
  for (const auto* bad : {"", "put", "*", "host:80", "/%", "/%4", "/%zz", "/a%2", "/?%", "/?a=%", "/?a=%g0", "/?%1=a",
                          "http://", "http://host", "http:///a", "https://host/a", "?a=b"})
    CHECK_FALSE(parse_target(bad));
  CHECK(parse_target("http://host:80/a/b?c=d")->segments == strings{"a", "b"});
}

TEST_CASE("refuses a target with more parts than any resource has") {
  const auto repeated = [](std::string_view part, std::size_t count) {
    std::string all;
    for (std::size_t i = 0; i < count; ++i) all += part;
    return all;
  };
  CHECK(parse_target(repeated("/", max_segments))->segments.size() == max_segments);
  CHECK(parse_target("/?a" + repeated("&a", max_parameters - 1))->query.size() == max_parameters);
  CHECK_FALSE(has_too_many_parts("http://host" + repeated("/", max_segments) + "?/////"));
  for (const auto& bad : {repeated("/", max_segments + 1), "/?a" + repeated("&a", max_parameters),
                          "http://host" + repeated("/", max_segments + 1), "/?" + repeated("&", max_parameters)}) {
    CAPTURE(bad);
    CHECK(has_too_many_parts(bad));
    CHECK_FALSE(parse_target(bad));
  }
}

TEST_CASE("encoding and decoding are inverse for all bytes") {
  std::mt19937 random(1);
  for (int round = 0; round < 2000; ++round) {
    std::string text(random() % 40, '\0');
    for (auto& c : text) c = static_cast<char>(random() % 256);
    const auto encoded = percent_encode(text);
    REQUIRE(percent_decode(encoded, true) == text);
    REQUIRE(percent_decode(encoded, false) == text);
    REQUIRE(parse_target("/a/" + encoded + "/b?" + encoded + "=" + encoded)->segments == strings{"a", text, "b"});
  }
}
