// What is seen by mDNS, and what is said.
#include "discovery/mdns_view.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

using namespace troupe;
using addresses = std::vector<std::string>;

TEST_CASE("addresses are written so that they can be dialed", "[mdns]") {
  CHECK(mdns_address("10.0.0.1", 5000, 2) == "10.0.0.1:5000");
  CHECK(mdns_address("fd00::1", 5000, 2) == "[fd00::1]:5000");
  CHECK(mdns_address("fe80::1", 5000, 2) == "[fe80::1%2]:5000");
  CHECK(mdns_address("feb0:0:0:0:0:0:0:1", 5000, 7) == "[feb0:0:0:0:0:0:0:1%7]:5000");
  CHECK(mdns_address("fec0::1", 5000, 7) == "[fec0::1]:5000");
  CHECK(mdns_address("fe80::1", 5000, -1) == std::nullopt);
  CHECK(mdns_address("10.0.0.1", 0, 2) == std::nullopt);
  CHECK(mdns_address("", 5000, 2) == std::nullopt);
}

TEST_CASE("there is no view before all is told and every instance is resolved", "[mdns]") {
  mdns_view view;
  const mdns_key a4{2, 0, "a", "local"}, a6{2, 1, "a", "local"}, b{3, 0, "b", "local"};
  CHECK(view.appeared(a4));
  CHECK_FALSE(view.appeared(a4));
  view.resolved(a4, "10.0.0.1:1");
  CHECK(view.addresses() == std::nullopt);
  view.listed_all();
  CHECK(view.addresses() == addresses{"10.0.0.1:1"});
  CHECK(view.appeared(a6));
  CHECK(view.appeared(b));
  CHECK(view.addresses() == std::nullopt);
  view.resolved(a6, "[fe80::1%2]:1");
  view.resolved(b, std::nullopt);
  CHECK(view.addresses() == addresses{"10.0.0.1:1", "[fe80::1%2]:1"});
  view.resolved(b, "10.0.0.2:1");
  view.vanished(a4);
  CHECK(view.addresses() == addresses{"[fe80::1%2]:1", "10.0.0.2:1"});
  view.resolved(a4, "10.0.0.1:1"); // too late
  view.vanished(a4);
  CHECK(view.addresses() == addresses{"[fe80::1%2]:1", "10.0.0.2:1"});
}

TEST_CASE("more instances than a cluster could have are not taken", "[mdns]") {
  mdns_view view;
  view.listed_all();
  for (int i = 0; i < 600; ++i) {
    const mdns_key key{2, 0, std::to_string(i), "local"};
    CHECK(view.appeared(key) == (i < 512));
    view.resolved(key, "10.0.0.1:" + std::to_string(i + 1));
  }
  CHECK(view.addresses()->size() == 512);
}

TEST_CASE("a node says who it is, in entries that a TXT record can hold", "[mdns]") {
  mdns_identity who{{0xab}, 7, 3, raft::membership_state::fresh, {}, 5000};
  CHECK(txt_of(who) ==
        std::vector<std::string>{"node=00000000000000ab", "incarnation=7", "protocol=3", "state=fresh", "cluster="});
  who.state = raft::membership_state::formed;
  who.cluster = {0xcd};
  const auto txt = txt_of(who);
  CHECK(txt[3] == "state=formed");
  CHECK(txt[4] == "cluster=" + to_string(who.cluster));
  for (const auto& entry : txt) CHECK(entry.size() < 256);
  CHECK(instance_of(who) == "troupe-00000000000000ab");
}
