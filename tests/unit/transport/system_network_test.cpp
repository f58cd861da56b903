#include "runtime/transport/system_network.hpp"

#include "tests/unit/temporary_folder.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>

using namespace troupe::net;

namespace {

credentials_files with_secret(const char* file) { return {{}, file, {}}; }

credentials_files with_tls(const char* cert, std::vector<std::string> names = {}) {
  return {tls_options{{cert, "key", "ca"}, "cluster", std::move(names)}, {}, {}};
}

} // namespace

TEST_CASE("equal files form one realm while it is in use") {
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
  later.expiry_warning = std::chrono::hours{1}; // does not matter for the realm
  CHECK(network.realm_of(later) == secure);
  const std::weak_ptr<const realm> gone = first;
  first.reset();
  CHECK(gone.expired());
}

TEST_CASE("nodes that stay on this machine do not share a realm with those that connect to others") {
  system_network network{{}, {}};
  const auto here = network.realm_of({}, dial_policy::this_machine);
  CHECK(network.realm_of({}, dial_policy::this_machine) == here);
  const auto elsewhere = network.realm_of({}, dial_policy::anywhere);
  CHECK(elsewhere != here);
  CHECK(elsewhere->receivers != here->receivers);
}

TEST_CASE("a user that returns with the same files continues with the remaining connection") {
  system_network network{{}, {}};
  const auto now = std::chrono::steady_clock::now();
  const auto liveness = [](const std::shared_ptr<const realm>& of) {
    return std::make_shared<connection_liveness>(-1, "peer", connection_liveness::usual_silence_limit, of);
  };
  auto before = network.realm_of(with_secret("secret"));
  const auto receivers = before->receivers; // as the channel of a connection keeps them
  const connection_liveness left{0, "peer", connection_liveness::usual_silence_limit, before};
  CHECK_FALSE(left.is_orphaned());
  before.reset();
  CHECK(left.is_orphaned());
  auto again = network.realm_of(with_secret("secret"));
  CHECK(again->receivers == receivers);
  CHECK(left.is_of_same_realm(*liveness(again)));
  const auto other = network.realm_of(with_secret("other"));
  CHECK_FALSE(left.is_of_same_realm(*liveness(other)));

  const auto held =
      std::make_shared<connection_liveness>(1000, "peer", connection_liveness::usual_silence_limit, again);
  CHECK(network.node_ids.claim("node", held, now) == claim_outcome::granted);
  again.reset();
  CHECK(held->is_orphaned());
  again = network.realm_of(with_secret("secret"));
  CHECK(network.node_ids.claim("node", liveness(again), now) == claim_outcome::taken);
  CHECK_FALSE(held->is_orphaned()); // it is used again
  again.reset();
  CHECK(held->is_orphaned());
}

TEST_CASE("files that are renewed by changing a link stay in their realm") {
  const troupe::test::temporary_folder folder;
  namespace fs = std::filesystem;
  for (const auto* version : {"1", "2"}) {
    fs::create_directory(folder / version);
    std::ofstream(folder / version / "secret") << version;
  }
  fs::create_directory_symlink("1", folder / "data");
  fs::create_symlink("data/secret", folder / "secret");
  const auto files = [&] { return with_secret((folder / "secret").c_str()); };
  system_network network{{}, {}};
  const auto before = network.realm_of(files());
  fs::create_directory_symlink("2", folder / "next");
  fs::rename(folder / "next", folder / "data");
  CHECK(network.realm_of(files()) == before);
}

TEST_CASE("an actor is reachable from its start to its end, and gets tokens meanwhile") {
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

TEST_CASE("limits what all connections collect together, and gives it back") {
  network_limits limits;
  limits.max_collected_bytes = 100;
  system_network network{limits, {}};
  CHECK(network.take(60));
  CHECK_FALSE(network.take(41));
  CHECK(network.take(40));
  CHECK(network.take(-60));
  CHECK(network.take(60));
}
