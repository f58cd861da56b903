#include "runtime/transport/system_network.hpp"

#include <catch2/catch.hpp>

using namespace troupe::net;

namespace {

credentials_files with_secret(const char* file) { return {{}, file, {}}; }

credentials_files with_tls(const char* cert, std::vector<std::string> names = {}) {
  return {tls_options{{cert, "key", "ca"}, "cluster", std::move(names)}, {}, {}};
}

} // namespace

TEST_CASE("equal files make one realm, as long as somebody uses it") {
  system_network network{{}, {}};
  auto first = network.realm_of(with_secret("folder/secret"));
  CHECK(network.realm_of(with_secret("folder/../folder/secret")) == first);
  CHECK(network.realm_of(with_secret("other")) != first);
  CHECK(network.realm_of({}) != first);
  CHECK(network.realm_of({}) != network.realm_of(with_tls("cert")));
  const auto secure = network.realm_of(with_tls("cert", {"a", "b"}));
  CHECK(network.realm_of(with_tls("cert", {"b", "a"})) == secure);
  CHECK(network.realm_of(with_tls("cert", {"a"})) != secure);
  CHECK(network.realm_of(with_tls("renewed", {"a", "b"})) != secure);
  auto later = with_tls("cert", {"a", "b"});
  later.expiry_warning = std::chrono::hours{1}; // is nobody else's business
  CHECK(network.realm_of(later) == secure);
  const std::weak_ptr<const realm> gone = first;
  first.reset();
  CHECK(gone.expired());
}

TEST_CASE("an actor can be written to from its start to its end, and takes its tokens meanwhile") {
  receiver_list receivers;
  int tokens = 0;
  receivers.add(7, [&](const flow_token&) { ++tokens; });
  receivers.add(8);
  CHECK(receivers.contains(7));
  CHECK(receivers.contains(8));
  receivers.send({});
  CHECK(tokens == 1);
  receivers.remove(7);
  receivers.send({});
  CHECK(tokens == 1);
  CHECK_FALSE(receivers.contains(7));
  CHECK(receivers.contains(8));
}

TEST_CASE("what all connections collect together is bounded, and comes back") {
  network_limits limits;
  limits.max_collected_bytes = 100;
  system_network network{limits, {}};
  CHECK(network.take(60));
  CHECK_FALSE(network.take(41));
  CHECK(network.take(40));
  CHECK(network.take(-60));
  CHECK(network.take(60));
}
