// Parsing of discovery specifications.
#include "discovery/spec.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <utility>
#include <vector>

using namespace troupe;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;

TEST_CASE("no discovery", "[discovery]") {
  CHECK(parse_discovery("").empty());
  CHECK(parse_discovery(" none ").empty());
  CHECK(parse_discovery(" ; ").empty());
}

TEST_CASE("static discovery", "[discovery]") {
  const discovery_spec three{static_list{{{"a", 1}, {"::1", 2}, {"10.0.0.1", 3}}}};
  CHECK(parse_discovery("static:a:1,[::1]:2,10.0.0.1:3") == three);
  CHECK(parse_discovery("static: A:1, [::1]:2 ,a:1,10.0.0.1:3,") == three);
  CHECK(parse_discovery("static:a:1,[::1]:2;static:a:1,10.0.0.1:3") == three);
}

TEST_CASE("DNS discovery", "[discovery]") {
  const auto one = [](const std::string& text) { return std::get<dns_query>(parse_discovery(text).at(0)); };
  CHECK(one("dns:Troupe.example.org:5000") == dns_query{"troupe.example.org", 5000, 10s, {}});
  CHECK(one("dns:troupe.:5000, interval=3") == dns_query{"troupe.", 5000, 3s, {}});
  CHECK(one("dns:_raft._tcp.troupe") == dns_query{"_raft._tcp.troupe", {}, 10s, {}});
  CHECK(one("dns:a:1,server=127.0.0.1:5353") == dns_query{"a", 1, 10s, host_port{"127.0.0.1", 5353}});
  CHECK(one("dns:a:1,server=10.0.0.2") == dns_query{"a", 1, 10s, host_port{"10.0.0.2", 53}});
}

TEST_CASE("Kubernetes discovery", "[discovery]") {
  const auto one = [](const std::string& text) { return std::get<kubernetes_query>(parse_discovery(text).at(0)); };
  kubernetes_query slices;
  slices.service = "troupe";
  CHECK(one("k8s:service=troupe") == slices);
  slices.name_space = "prod";
  slices.port = "7000";
  slices.server = "https://[::1]:6443";
  slices.secrets = "/etc/some where";
  CHECK(one("k8s: service=troupe, namespace=prod, port=7000, server=https://[::1]:6443, secrets=/etc/some where") ==
        slices);
  kubernetes_query pods;
  pods.selector = "app=troupe,tier in (a,b),!old";
  CHECK(one("k8s:selector=app=troupe,selector=tier in (a,b),selector=!old") == pods);
}

TEST_CASE("mDNS discovery", "[discovery]") {
  CHECK(parse_discovery("mdns:") == discovery_spec{mdns_service{"_troupe._tcp"}});
  CHECK(parse_discovery("mdns") == discovery_spec{mdns_service{"_troupe._tcp"}});
  CHECK(parse_discovery("mdns:_my-store2._tcp") == discovery_spec{mdns_service{"_my-store2._tcp"}});
}

TEST_CASE("several methods have different names", "[discovery]") {
  const auto spec = parse_discovery("static:a:1; dns:b:2; dns:b:3;dns:_raft._tcp.b;k8s:service=x;k8s:service=x,"
                                    "namespace=y ;k8s:selector=app=x;mdns:;static:c:4;mdns:_other._tcp");
  std::vector<std::string> names;
  for (const auto& method : spec) names.push_back(name_of(method));
  CHECK(names == std::vector<std::string>{"static", "dns:b:2", "dns:b:3", "dns:_raft._tcp.b", "k8s:service=x",
                                          "k8s:service=x,namespace=y", "k8s:selector=app=x", "mdns:_troupe._tcp",
                                          "mdns:_other._tcp"});
  CHECK(std::get<static_list>(spec[0]).addresses == std::vector<host_port>{{"a", 1}, {"c", 4}});
}

TEST_CASE("rejects an invalid specification with the reason", "[discovery]") {
  for (const auto& [text, reason] :
       std::vector<std::pair<std::string, std::string>>{{"static:", "needs addresses"},
                                                        {"static: , ", "needs addresses"},
                                                        {"static:a:1,b", "there must be a port"},
                                                        {"carrier-pigeon:a:1", "unknown discovery method \"carrier"},
                                                        {"a:1", "the methods are static:"},
                                                        {"static:a:1 dns:b:2", "bad address"},
                                                        {"none;static:a:1", "cannot be combined"},
                                                        {"none:", "cannot be combined"},
                                                        {"dns:", "needs a name"},
                                                        {"dns:interval=3", "needs a name"},
                                                        {"dns:a", "there must be a port"},
                                                        {"dns:[::1]:1", "is an address"},
                                                        {"dns:_raft._tcp.a:1", "include the port"},
                                                        {"dns:a:1,interval=0", "from 1 to 3600"},
                                                        {"dns:a:1,interval=1s", "from 1 to 3600"},
                                                        {"dns:a:1,interval=", "needs a value"},
                                                        {"dns:a:1,b:2", "its options are interval=, server="},
                                                        {"dns:a:1,server=ns.example.org", "IPv4"},
                                                        {"dns:a:1;dns:A:1,interval=3", "dns:a:1 is given twice"},
                                                        {"k8s:", "one of service= and selector="},
                                                        {"k8s:troupe", "no option \"troupe\""},
                                                        {"k8s:service=a,selector=b", "one of service= and selector="},
                                                        {"k8s:service=a,server=http://b", "https://"},
                                                        {"mdns:troupe", "_troupe._tcp"},
                                                        {"mdns:_troupe._udp", "_troupe._tcp"},
                                                        {"mdns:_._tcp", "_troupe._tcp"},
                                                        {"mdns:_tcp", "_troupe._tcp"},
                                                        {"mdns:_sixteen-letters-._tcp", "at most 15"},
                                                        {"mdns:_a b._tcp", "at most 15"},
                                                        {"mdns:;mdns:_troupe._tcp", "given twice"}}) {
    CAPTURE(text);
    CHECK_THROWS_WITH(parse_discovery(text), Contains(reason));
    CHECK_THROWS_AS(parse_discovery(text), std::invalid_argument);
  }
}
