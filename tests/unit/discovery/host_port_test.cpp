// Parsing of addresses.
#include <troupe/address.hpp>

#include <catch2/catch.hpp>

#include <string>

using namespace troupe;

TEST_CASE("parses and formats addresses", "[discovery]") {
  struct row {
    std::string text, host;
    std::uint16_t port;
    std::string again;
  };
  for (const auto& [text, host, port, again] :
       {row{"a:1", "a", 1, "a:1"},
        row{"Node-1.Example.org:5000", "node-1.example.org", 5000, "node-1.example.org:5000"},
        row{"10.0.0.7:65535", "10.0.0.7", 65535, "10.0.0.7:65535"}, row{"[::1]:80", "::1", 80, "[::1]:80"},
        row{"[FE80::1%eth0]:80", "fe80::1%eth0", 80, "[fe80::1%eth0]:80"}}) {
    CAPTURE(text);
    const auto address = parse_host_port(text);
    CHECK(address == host_port{host, port});
    CHECK(to_string(address) == again);
    CHECK(parse_host_port(to_string(address)) == address);
  }
}

TEST_CASE("rejects an invalid address with the reason", "[discovery]") {
  using Catch::Matchers::Contains;
  for (const auto& [text, reason] :
       std::vector<std::pair<std::string, std::string>>{{"", "port"},
                                                        {"host", "port"},
                                                        {":1", "host is missing"},
                                                        {"host:", "1 to 65535"},
                                                        {"host:0", "1 to 65535"},
                                                        {"host:65536", "1 to 65535"},
                                                        {"host:-1", "1 to 65535"},
                                                        {"host:1x", "1 to 65535"},
                                                        {"::1:80", "brackets"},
                                                        {"[::1]", "port"},
                                                        {"[::1:80", "not closed"},
                                                        {"[name]:80", "IPv6"},
                                                        {"ho st:1", "characters"},
                                                        {"ho\nst:1", "characters"},
                                                        {std::string(254, 'a') + ":1", "too long"}}) {
    CAPTURE(text);
    CHECK_THROWS_WITH(parse_host_port(text), Contains(reason));
  }
}

TEST_CASE("a host may be in brackets if it is an IPv6 address") {
  CHECK(troupe::unbracketed("[::1]") == "::1");
  CHECK(troupe::unbracketed("::1") == "::1");
  CHECK(troupe::unbracketed("[name]") == "[name]");
  CHECK(troupe::unbracketed("[::1") == "[::1");
  CHECK(troupe::unbracketed("[") == "[");
  CHECK(troupe::unbracketed("").empty());
}
