// Announcements seen and made by mDNS.
#include "discovery/mdns_view.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

using namespace troupe;
using addresses = std::vector<std::string>;

namespace {

/// The instance name of a node.
std::string name(std::uint64_t id) {
  mdns_identity identity;
  identity.node = {id};
  return instance_of(identity);
}

} // namespace

TEST_CASE("formats addresses so that they can be dialed", "[mdns]") {
  CHECK(mdns_address("10.0.0.1", 5000, 2) == "10.0.0.1:5000");
  CHECK(mdns_address("fd00::1", 5000, 2) == "[fd00::1]:5000");
  CHECK(mdns_address("fe80::1", 5000, 2) == "[fe80::1%2]:5000");
  CHECK(mdns_address("feb0:0:0:0:0:0:0:1", 5000, 7) == "[feb0:0:0:0:0:0:0:1%7]:5000");
  CHECK(mdns_address("fec0::1", 5000, 7) == "[fec0::1]:5000");
  CHECK(mdns_address("fe80::1", 5000, -1) == std::nullopt);
  CHECK(mdns_address("10.0.0.1", 0, 2) == std::nullopt);
  CHECK(mdns_address("", 5000, 2) == std::nullopt);
}

TEST_CASE("there is no view before all initial instances are announced and resolved", "[mdns]") {
  mdns_view view;
  const mdns_key a4{2, 0, name(1), "local"}, a6{2, 1, name(1), "local"}, b{3, 0, name(2), "local"};
  CHECK(view.appeared(a4));
  CHECK_FALSE(view.appeared(a4));
  view.resolved(a4, "10.0.0.1:1");
  CHECK(view.addresses() == std::nullopt);
  view.listed_all();
  CHECK(view.addresses() == addresses{"10.0.0.1:1"});
  CHECK(view.appeared(a6));
  CHECK(view.appeared(b));
  CHECK(view.addresses() == addresses{"10.0.0.1:1"}); // later instances do not delay the view
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

TEST_CASE("limits the number of instances", "[mdns]") {
  mdns_view view;
  view.listed_all();
  for (std::size_t i = 0; i < 600; ++i) {
    const mdns_key key{2, 0, name(i + 1), "local"};
    CHECK_FALSE(view.to_evict_for(key));
    CHECK(view.appeared(key) == (i < mdns_view::max_instances));
    view.resolved(key, "10.0." + std::to_string(i / 32) + ".1:" + std::to_string(i + 1));
  }
  CHECK(view.addresses()->size() == mdns_view::max_instances);
}

TEST_CASE("forged names neither keep out nodes nor delay the view", "[mdns]") {
  mdns_view view;
  CHECK(view.appeared({2, 0, name(1), "local"}));
  view.listed_all();
  view.resolved({2, 0, name(1), "local"}, "10.0.0.1:1");
  // Names that no node has are not even resolved.
  for (const auto* odd :
       {"", "printer", "troupe-", "troupe-12", "troupe-00000000000000zz", "troupe-00000000000000ab x"})
    CHECK_FALSE(view.appeared({2, 0, odd, "local"}));
  CHECK(view.appeared({2, 0, name(0xab) + " #2", "local"}));
  view.vanished({2, 0, name(0xab) + " #2", "local"});
  // New valid names all the time, without addresses: they evict one another.
  for (std::uint64_t i = 100; i < 3000; ++i) {
    const mdns_key key{2, 0, name(i), "local"};
    if (const auto evicted = view.to_evict_for(key)) view.vanished(*evicted);
    CHECK(view.appeared(key));
    CHECK(view.addresses() == addresses{"10.0.0.1:1"});
    view.resolved(key, std::nullopt);
  }
  // All on one host: some count, the others get no address.
  for (std::uint64_t i = 5000; i < 8000; ++i) {
    const mdns_key key{2, 0, name(i), "local"};
    if (const auto evicted = view.to_evict_for(key)) view.vanished(*evicted);
    if (view.appeared(key)) view.resolved(key, "10.0.0.66:" + std::to_string(i));
  }
  CHECK(view.addresses()->size() == 1 + mdns_view::max_per_host);
  const mdns_key late{2, 0, name(9), "local"};
  if (const auto evicted = view.to_evict_for(late)) view.vanished(*evicted);
  REQUIRE(view.appeared(late));
  view.resolved(late, "10.0.0.9:1");
  CHECK(view.addresses()->size() == 2 + mdns_view::max_per_host);
}

TEST_CASE("vanished instances of a host make space for others on it", "[mdns]") {
  mdns_view view;
  view.listed_all();
  const auto key = [](std::uint64_t id) { return mdns_key{2, 0, name(id), "local"}; };
  const auto last = mdns_view::max_per_host + 1;
  for (std::uint64_t id = 1; id <= last; ++id) {
    REQUIRE(view.appeared(key(id)));
    view.resolved(key(id), "[fd00::1]:" + std::to_string(id));
  }
  CHECK(view.addresses()->size() == mdns_view::max_per_host);
  view.vanished(key(1));
  view.resolved(key(2), "[fd00::2]:2"); // it moved
  view.resolved(key(last), "[fd00::1]:99");
  CHECK(view.addresses()->size() == mdns_view::max_per_host);
}

TEST_CASE("announces the identity in entries that fit into a TXT record", "[mdns]") {
  mdns_identity identity{{0xab}, 7, 3, raft::membership_state::fresh, {}, 5000};
  CHECK(txt_of(identity) ==
        std::vector<std::string>{"node=00000000000000ab", "incarnation=7", "protocol=3", "state=fresh", "cluster="});
  identity.state = raft::membership_state::formed;
  identity.cluster = {0xcd};
  const auto txt = txt_of(identity);
  CHECK(txt[3] == "state=formed");
  CHECK(txt[4] == "cluster=" + to_string(identity.cluster));
  for (const auto& entry : txt) CHECK(entry.size() < 256);
  CHECK(instance_of(identity) == "troupe-00000000000000ab");
}
