// Tests discovery by DNS with a name server in this process.
#include "discovery/dns_method.hpp"
#include "tests/unit/discovery/method_run.hpp"
#include "tests/unit/discovery/name_server.hpp"

#include <catch2/catch.hpp>

#include <chrono>

using namespace troupe;
using namespace troupe::test;
using namespace std::chrono_literals;

namespace {

dns_query query_for(const name_server& server, const std::string& name, std::optional<std::uint16_t> port) {
  return {name, port, 1s, host_port{"127.0.0.1", server.port()}};
}

dns_record a(const std::string& address) { return {dns_type::a, dns_address(address)}; }
dns_record aaaa(const std::string& address) { return {dns_type::aaaa, dns_address(address)}; }

} // namespace

TEST_CASE("finds both kinds of addresses and their changes", "[dns]") {
  name_server server;
  server.say("peers.test", dns_type::a, {{a("10.0.0.1"), a("10.0.0.2")}});
  server.say("peers.test", dns_type::aaaa, {{aaaa("fd00::1")}});
  dns_method method{query_for(server, "peers.test.", 5000), 1};
  method_run run{method};
  CHECK(run.sees({"10.0.0.1:5000", "10.0.0.2:5000", "[fd00::1]:5000"}));
  CHECK(run.complains(""));
  server.say("peers.test", dns_type::a, {{a("10.0.0.3")}});
  CHECK(run.sees({"10.0.0.3:5000", "[fd00::1]:5000"}));
}

TEST_CASE("finds SRV records", "[dns]") {
  name_server server;
  server.say(
      "_raft._tcp.peers.test", dns_type::srv,
      {{{dns_type::srv, dns_service(5000, "n1.peers.test")}, {dns_type::srv, dns_service(5001, "n2.peers.test")}}});
  dns_method method{query_for(server, "_raft._tcp.peers.test.", {}), 1};
  method_run run{method};
  CHECK(run.sees({"n1.peers.test:5000", "n2.peers.test:5001"}));
  CHECK(server.asked("_raft._tcp.peers.test", dns_type::a) == 0);
}

TEST_CASE("receives an answer that is too long for a packet over TCP", "[dns]") {
  name_server server;
  dns_reply many;
  addresses wanted;
  for (int i = 1; i <= 200; ++i) {
    many.records.push_back(a("10.0.1." + std::to_string(i)));
    wanted.push_back("10.0.1." + std::to_string(i) + ":1");
  }
  many.truncated = true;
  server.say("peers.test", dns_type::a, many);
  dns_method method{query_for(server, "peers.test.", 1), 1};
  method_run run{method};
  CHECK(run.sees(wanted));
  CHECK(server.streams() > 0);
}

TEST_CASE("reports no peers only if the server says so", "[dns]") {
  name_server server;
  const auto both = [&](const dns_reply& reply) {
    server.say("peers.test", dns_type::a, reply);
    server.say("peers.test", dns_type::aaaa, reply);
  };
  dns_reply failing, refusing, cut, garbage, none;
  failing.rcode = 2;
  refusing.rcode = 5;
  cut.records = {a("10.0.0.1")};
  cut.mangle = [](std::string& message) { message.resize(message.size() - 3); };
  none.rcode = 3;
  both(failing);
  dns_method method{query_for(server, "peers.test.", 1), 1};
  method_run run{method};
  CHECK(run.complains("failed"));
  both(refusing);
  CHECK(run.complains("fail")); // glibc treats a server that refuses like one that failed
  both(cut);
  CHECK(run.complains("not a DNS message"));
  CHECK(run.view() == std::nullopt);
  both({{a("10.0.0.1")}});
  CHECK(run.sees({"10.0.0.1:1"}));
  both(failing);
  CHECK(run.complains("failed"));
  CHECK(run.view() == addresses{"10.0.0.1:1"});
  both(none);
  CHECK(run.sees({}));
  CHECK(run.complains(""));
  both({});
  CHECK(run.complains(""));
  CHECK(run.view() == addresses{});
}

TEST_CASE("a failure of one address type does not hide the other", "[dns]") {
  name_server server;
  dns_reply failing;
  failing.rcode = 2;
  server.say("peers.test", dns_type::a, {{a("10.0.0.1")}});
  server.say("peers.test", dns_type::aaaa, failing);
  dns_method method{query_for(server, "peers.test.", 1), 1};
  method_run run{method};
  CHECK(run.sees({"10.0.0.1:1"}));
  CHECK(run.complains("failed"));
}

TEST_CASE("asks a silent server with increasing pauses, and stops without delay", "[dns]") {
  name_server server;
  dns_reply silent;
  silent.silent = true;
  server.say("peers.test", dns_type::a, silent);
  server.say("peers.test", dns_type::aaaa, silent);
  dns_method method{query_for(server, "peers.test.", 1), 1};
  const auto begin = std::chrono::steady_clock::now();
  {
    method_run run{method};
    CHECK(run.complains("no name server answers", 20s));
    CHECK(run.view() == std::nullopt);
  }
  CHECK(std::chrono::steady_clock::now() - begin < 20s);
  CHECK(server.asked("peers.test", dns_type::a) <= 3);
}

TEST_CASE("pauses double up to a maximum and are randomized", "[dns]") {
  raft::backoff one{1s, 10s, 1}, other{1s, 10s, 2};
  for (const auto longest : {1s, 2s, 4s, 8s, 10s, 10s}) {
    const auto pause = one.failed();
    CHECK(pause <= longest);
    CHECK(pause >= longest / 2);
    CHECK(other.failed() != pause);
  }
  one.succeeded();
  CHECK(one.failed() <= 1s);
  for (int i = 0; i < 100; ++i) {
    const auto pause = one.around(8s);
    CHECK(pause >= 6s);
    CHECK(pause <= 10s);
  }
}
