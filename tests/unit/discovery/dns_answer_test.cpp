// Replies of name servers, good and bad.
#include "discovery/dns_answer.hpp"
#include "discovery/dns_method.hpp"
#include "raft/base/random.hpp"
#include "tests/unit/discovery/name_server.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

using namespace troupe;
using namespace troupe::test;
using names = std::vector<std::string>;

namespace {

/// A query for a.test; its type does not matter here.
const std::string question =
    std::string{"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00", 12} + std::string{"\x01"
                                                                                      "a"
                                                                                      "\x04test\x00\x00\x01\x00\x01",
                                                                                      12};

names peers(const std::vector<dns_record>& records, dns_type type) {
  return read_dns_answer(dns_message(question, {records}, false), type, 7);
}

} // namespace

TEST_CASE("address records become addresses", "[dns]") {
  const std::vector<dns_record> both{{dns_type::a, dns_address("10.0.0.1")},
                                     {dns_type::aaaa, dns_address("fd00::1")},
                                     {dns_type::a, dns_address("10.0.0.2")},
                                     {dns_type::a, dns_address("0.0.0.0")}};
  CHECK(peers(both, dns_type::a) == names{"10.0.0.1:7", "10.0.0.2:7"});
  CHECK(peers(both, dns_type::aaaa) == names{"[fd00::1]:7"});
  CHECK(peers({}, dns_type::a).empty());
}

TEST_CASE("SRV records become names with ports", "[dns]") {
  CHECK(peers({{dns_type::srv, dns_service(5000, "N1.troupe.test")},
               {dns_type::srv, dns_service(0, "n2.troupe.test")},
               {dns_type::srv, dns_service(5001, "")},
               {dns_type::srv, dns_service(5002, "not a host.test")},
               {dns_type::srv, dns_service(5003, "n3")}},
              dns_type::srv) == names{"n1.troupe.test:5000", "n3:5003"});
}

TEST_CASE("rejects records of a wrong size", "[dns]") {
  CHECK_THROWS_AS(peers({{dns_type::a, "abc"}}, dns_type::a), bad_dns_answer);
  CHECK_THROWS_AS(peers({{dns_type::a, "abcde"}}, dns_type::a), bad_dns_answer);
  CHECK_THROWS_AS(peers({{dns_type::aaaa, "abcd"}}, dns_type::aaaa), bad_dns_answer);
  CHECK_THROWS_AS(peers({{dns_type::srv, ""}}, dns_type::srv), bad_dns_answer);
  CHECK_THROWS_AS(peers({{dns_type::srv, "abcdef"}}, dns_type::srv), bad_dns_answer);
  CHECK_THROWS_AS(peers({{dns_type::srv, dns_service(1, "a.test") + "x"}}, dns_type::srv), bad_dns_answer);
  // A name that extends past its record, and one that points at itself.
  CHECK_THROWS_AS(peers({{dns_type::srv, std::string{"\0\0\0\0\1\1", 6} + "\x3f"
                                                                          "a"}},
                        dns_type::srv),
                  bad_dns_answer);
  const auto self = dns_message(question, {{{dns_type::srv, std::string{"\0\0\0\0\1\1\xc0\x2a", 8}}}}, false);
  REQUIRE(self.substr(0x2a, 2) == "\xc0\x2a");
  CHECK_THROWS_AS(read_dns_answer(self, dns_type::srv, 1), bad_dns_answer);
}

TEST_CASE("rejects a reply that is truncated anywhere", "[dns]") {
  const auto whole = dns_message(
      question, {{{dns_type::a, dns_address("10.0.0.1")}, {dns_type::srv, dns_service(1, "b.test")}}}, false);
  REQUIRE(read_dns_answer(whole, dns_type::a, 7) == names{"10.0.0.1:7"});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CAPTURE(size);
    CHECK_THROWS_AS(read_dns_answer(whole.substr(0, size), dns_type::a, 7), bad_dns_answer);
  }
  CHECK_THROWS_AS(read_dns_answer(dns_message(question, {}, true), dns_type::a, 7), bad_dns_answer);
  CHECK_THROWS_AS(read_dns_answer(std::string(70'000, '\0'), dns_type::a, 7), bad_dns_answer);
}

TEST_CASE("damaged replies are either read or rejected", "[dns]") {
  raft::prng random{1};
  const auto whole = dns_message(
      question, {{{dns_type::srv, dns_service(1, "b.test")}, {dns_type::a, dns_address("10.0.0.1")}}}, false);
  int rejected = 0;
  for (int i = 0; i < 20'000; ++i) {
    auto damaged = whole;
    for (auto n = random.next() % 4 + 1; n > 0; --n)
      damaged[random.next() % damaged.size()] = static_cast<char>(random.next());
    for (const auto type : {dns_type::a, dns_type::srv}) try {
        const auto peers_found = read_dns_answer(damaged, type, 7); // CHECK would report the exception as a failure
        CHECK(peers_found.size() <= 2);
      } catch (const bad_dns_answer&) {
        ++rejected;
      }
  }
  CHECK(rejected > 1000);
  CHECK(rejected < 39'000);
}

TEST_CASE("limits the number of peers", "[dns]") {
  CHECK(peers(std::vector<dns_record>(2000, {dns_type::a, dns_address("10.0.0.1")}), dns_type::a).size() == 1024);
}

TEST_CASE("tries names in the order of resolv.conf", "[dns]") {
  const names search{"ns.svc.cluster.local", ".", "cluster.local"};
  CHECK(dns_candidates("troupe", search, 1) == names{"troupe.ns.svc.cluster.local", "troupe.cluster.local", "troupe"});
  CHECK(dns_candidates("troupe.ns", search, 1) ==
        names{"troupe.ns", "troupe.ns.ns.svc.cluster.local", "troupe.ns.cluster.local"});
  CHECK(dns_candidates("troupe.ns", search, 5).back() == "troupe.ns");
  CHECK(dns_candidates("troupe.example.org.", search, 5) == names{"troupe.example.org."});
}

TEST_CASE("a record type without an answer keeps its last known peers", "[dns]") {
  const std::vector<dns_type> both{dns_type::a, dns_type::aaaa};
  dns_view view;
  CHECK(view.learn({}, both) == std::nullopt);
  CHECK(view.learn({{dns_type::aaaa, {}}}, both) == std::nullopt); // nothing is known about A
  CHECK(view.learn({{dns_type::a, {"1:1"}}}, both) == names{"1:1"});
  CHECK(view.learn({{dns_type::aaaa, {"[::2]:1"}}}, both) == names{"1:1", "[::2]:1"});
  CHECK(view.learn({{dns_type::a, {}}}, both) == names{"[::2]:1"});
  CHECK(view.learn({}, both) == names{"[::2]:1"});
  CHECK(view.learn({{dns_type::a, {}}, {dns_type::aaaa, {}}}, both) == names{});
}
