#include "tests/unit/transport/certificates.hpp"
#include "tests/unit/transport/connected_pair.hpp"
#include "tests/unit/transport/tls_peer.hpp"

#include <catch2/catch.hpp>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <utility>

using namespace troupe::net;
using namespace troupe::net::testing;
using namespace std::chrono_literals;
using Catch::Contains;
using state = tls_handshake::state;

namespace {

/// Two of our own ends, driven alternately in this thread.
struct meeting {
  meeting(const tls_options& dialing, const tls_options& accepting)
      : dialed(tls_context::load(dialing)->begin(side::dialed, sockets.dialed.get())),
        accepted(tls_context::load(accepting)->begin(side::accepted, sockets.accepted.get())) {}
  void talk() {
    for (int turn = 0; turn < 20; ++turn) {
      if (waits(dialed_state)) dialed_state = dialed->step();
      if (waits(accepted_state)) accepted_state = accepted->step();
    }
  }
  static bool waits(state s) { return s == state::wants_read || s == state::wants_write; }
  bool done() const { return dialed_state == state::done && accepted_state == state::done; }

  connected_pair sockets;
  std::unique_ptr<tls_handshake> dialed;
  std::unique_ptr<tls_handshake> accepted;
  state dialed_state = state::wants_write;
  state accepted_state = state::wants_read;
};

/// Writes everything at one end and reads it at the other, alternately. Returns what arrived.
std::string carry(channel& from, channel& to, const std::string& bytes) {
  std::string arrived;
  std::size_t sent = 0;
  std::vector<char> block(100'000);
  // After `again` offer the same bytes from another address, as when CAF's buffer grows.
  std::string places[2];
  for (int turn = 0; turn < 1000 && arrived.size() < bytes.size(); ++turn) {
    auto& rest = places[turn % 2];
    rest = bytes.substr(sent);
    std::size_t taken = 0;
    while (taken < rest.size()) {
      const auto moved = from.write(rest.data() + taken, rest.size() - taken);
      REQUIRE(moved.state != flow::closed);
      if (moved.state == flow::again) break;
      taken += moved.bytes;
    }
    sent += taken;
    for (transfer got; (got = to.read(block.data(), block.size())).state == flow::moved;)
      arrived.append(block.data(), got.bytes);
  }
  return arrived;
}

void check_talks(meeting& one) {
  one.talk();
  INFO(one.dialed->problem() << one.accepted->problem());
  REQUIRE(one.done());
  const auto there = one.dialed->take_channel();
  const auto here = one.accepted->take_channel();
  CHECK(carry(*there, *here, "from who dialed") == "from who dialed");
  CHECK(carry(*here, *there, "from who accepted") == "from who accepted");
}

/// Two connected nodes of a cluster, with the streams of the dialing and the accepting end.
struct acquaintances {
  temporary_folder folder;
  authority ca{folder, "ca"};
  meeting one{options_for(ca.issue("dialed")), options_for(ca.issue("accepted"))};
  std::unique_ptr<channel> there;
  std::unique_ptr<channel> here;
  acquaintances() {
    one.talk();
    REQUIRE(one.done());
    there = one.dialed->take_channel();
    here = one.accepted->take_channel();
  }
};

/// One of our ends against a peer with arbitrary credentials. Returns why our end refuses it.
std::string refusal_of(side ours, const tls_options& options, const peer_wish& peer) {
  connected_pair sockets;
  const auto& own = ours == side::dialed ? sockets.dialed : sockets.accepted;
  const auto& others = ours == side::dialed ? sockets.accepted : sockets.dialed;
  const auto handshake = tls_context::load(options)->begin(ours, own.get());
  tls_peer stranger{ours == side::dialed ? side::accepted : side::dialed, others.get(), peer};
  auto where = state::wants_read;
  for (int turn = 0; turn < 20; ++turn) {
    stranger.step();
    if (meeting::waits(where)) where = handshake->step();
  }
  CHECK(stranger.heard().empty());
  REQUIRE(where == state::failed);
  CHECK(ERR_peek_error() == 0); // an error left here would end another session of this thread
  return handshake->problem();
}

} // namespace

TEST_CASE("two nodes with certificates of the cluster exchange data in both directions") {
  const temporary_folder folder;
  const authority ca{folder, "ca"};
  const auto allowed = GENERATE(usage::both, usage::unsaid);
  meeting one{options_for(ca.issue("dialed", {.allowed = allowed})),
              options_for(ca.issue("accepted", {.allowed = allowed}))};
  check_talks(one);
}

TEST_CASE("a certificate for one direction is enough for that direction") {
  const temporary_folder folder;
  const authority ca{folder, "ca"};
  const auto dialing = options_for(ca.issue("dialed", {.allowed = usage::client}));
  auto accepting = options_for(ca.issue("accepted", {.allowed = usage::server}));
  accepting.dials = false;
  accepting.accepts = true;
  meeting one{dialing, accepting};
  check_talks(one);
}

TEST_CASE("accepts certificates of an intermediate authority") {
  const temporary_folder folder;
  const authority ca{folder, "ca"};
  const auto between = ca.intermediate("between");
  auto files = between.issue("dialed");
  files.ca = ca.certificate();
  meeting one{options_for(files), options_for(ca.issue("accepted"))};
  check_talks(one);

  const auto whole = read_all(files.cert);
  write_private(files.cert, whole.substr(0, whole.find("-----BEGIN", 1)));
  CHECK_THAT(refusal_of(side::accepted, options_for(ca.issue("accepted")), {.shows = files}),
             Contains("certificate: unable to get local issuer certificate"));
}

TEST_CASE("the name must be the cluster's or an allowed one, without regard to case") {
  const temporary_folder folder;
  const authority ca{folder, "ca"};
  auto accepting = options_for(ca.issue("accepted"));
  accepting.allowed_names = {"operator.test", "clients.test"};
  const auto names =
      GENERATE(std::vector<std::string>{"Cluster.TEST"}, std::vector<std::string>{"n1.test", cluster_name},
               std::vector<std::string>{"clients.test"}, std::vector<std::string>{"operator.test"});
  const auto dialing = options_for(ca.issue("dialed", {.names = names}));
  SECTION("with a cluster name") {
    meeting one{dialing, accepting};
    check_talks(one);
  }
  SECTION("allowed names are enough") {
    accepting.allowed_names.emplace_back("cluster.test");
    accepting.cluster_name.clear();
    meeting one{dialing, accepting};
    check_talks(one);
  }
}

TEST_CASE("either end refuses a peer that does not belong to the cluster, and sends it no byte") {
  const temporary_folder folder;
  const authority ca{folder, "ca"};
  const authority other{folder, "other"};
  const temporary_folder elsewhere;
  const authority namesake{elsewhere, "ca"};
  const auto mine = options_for(ca.issue("mine"));
  const auto ours = GENERATE(side::dialed, side::accepted);
  const auto wrong = ours == side::dialed ? usage::client : usage::server;
  const struct {
    const char* name;
    tls_files shows;
    const char* problem;
  } strangers[] = {
      {"other CA", other.issue("a"), "certificate: unable to get local issuer certificate"},
      {"another CA of the same name", namesake.issue("b"), "certificate: "},
      {"expired", ca.issue("c", {.begins = -2h, .ends = -1h}), "certificate: certificate has expired"},
      {"not yet valid", ca.issue("d", {.begins = 1h, .ends = 2h}), "certificate: certificate is not yet valid"},
      {"for the other direction", ca.issue("e", {.allowed = wrong}), "certificate: unsuitable certificate purpose"},
      {"no name", ca.issue("f", {.names = {}}), "does not carry a name that is allowed here"},
      {"the name elsewhere", ca.issue(cluster_name, {.names = {}}), "does not carry a name"},
      {"another name", ca.issue("g", {.names = {"other.test"}}), "does not carry a name"},
      {"a longer name", ca.issue("h", {.names = {"cluster.test.example", "a.cluster.test"}}), "does not carry a name"},
      {"a pattern", ca.issue("i", {.names = {"*.test"}}), "does not carry a name"}};
  for (const auto& one : strangers) {
    INFO(one.name);
    CHECK_THAT(refusal_of(ours, mine, {.shows = one.shows}), Contains(one.problem));
  }
}

TEST_CASE("refuses a name that this end does not allow, although the other end allows it") {
  const temporary_folder folder;
  const authority ca{folder, "ca"};
  auto accepting = options_for(ca.issue("accepted"));
  accepting.allowed_names = {"operator.test"};
  auto dialing = options_for(ca.issue("dialed", {.names = {"operator.test"}}));
  meeting welcome{dialing, accepting};
  check_talks(welcome);
  meeting unwelcome{accepting, dialing}; // the roles are swapped: a plain member does not allow that name
  unwelcome.talk();
  CHECK(unwelcome.done());
  meeting refused{options_for(ca.issue("third")), dialing};
  refused.talk();
  CHECK(refused.dialed_state == state::failed);
  CHECK_THAT(refused.dialed->problem(), Contains("does not carry a name"));
}

TEST_CASE("refuses a peer without a certificate") {
  const temporary_folder folder;
  const authority ca{folder, "ca"};
  CHECK_THAT(refusal_of(side::accepted, options_for(ca.issue("mine")), {}), Contains("did not return a certificate"));
}

TEST_CASE("rejects TLS 1.2") {
  const temporary_folder folder;
  const authority ca{folder, "ca"};
  const peer_wish old{.shows = ca.issue("old"), .old = true};
  CHECK_THAT(refusal_of(side::accepted, options_for(ca.issue("mine")), old), Contains("unsupported protocol"));
  CHECK_THAT(refusal_of(side::dialed, options_for(ca.issue("mine")), old), Contains("protocol version"));
}

TEST_CASE("distinguishes a peer that does not speak TLS from one that closes") {
  const temporary_folder folder;
  const authority ca{folder, "ca"};
  const auto context = tls_context::load(options_for(ca.issue("mine")));
  const auto ours = GENERATE(side::dialed, side::accepted);
  connected_pair sockets;
  const auto handshake = context->begin(ours, sockets.dialed.get());
  SECTION("junk") {
    REQUIRE(::send(sockets.accepted.get(), std::string(100, 'x').data(), 100, 0) == 100);
    while (meeting::waits(handshake->step())) {
    }
    CHECK(handshake->problem() == "the other end does not speak TLS");
  }
  SECTION("nothing") {
    handshake->step();
    sockets.accepted = socket_guard{};
    while (meeting::waits(handshake->step())) {
    }
    CHECK(handshake->problem() == "the other end closed the connection during the TLS handshake");
  }
}

TEST_CASE("writing to a closed end ends the stream, not the process") {
  const temporary_folder folder;
  const authority ca{folder, "ca"};
  meeting one{options_for(ca.issue("dialed")), options_for(ca.issue("accepted"))};
  one.talk();
  REQUIRE(one.done());
  const auto there = one.dialed->take_channel();
  one.sockets.accepted = socket_guard{};
  auto wrote = flow::moved;
  for (int i = 0; i < 10 && wrote == flow::moved; ++i) wrote = there->write("x", 1).state;
  CHECK(wrote == flow::closed);
}

TEST_CASE("a session that fails does not affect another one of the same thread") {
  const temporary_folder folder;
  const authority ca{folder, "ca"};
  const authority other{folder, "other"};
  const auto mine = options_for(ca.issue("mine"));
  const auto foreign = options_for([&] {
    auto files = other.issue("foreign");
    files.ca = ca.certificate();
    return files;
  }());
  meeting good{mine, options_for(ca.issue("accepted"))};
  meeting bad{mine, foreign};
  for (int turn = 0; turn < 20; ++turn) {
    // Nor do errors that another library left in this thread's queue.
    ERR_raise(ERR_LIB_SSL, SSL_R_BAD_LENGTH);
    if (meeting::waits(good.dialed_state)) good.dialed_state = good.dialed->step();
    if (meeting::waits(bad.accepted_state)) bad.accepted_state = bad.accepted->step();
    if (meeting::waits(bad.dialed_state)) bad.dialed_state = bad.dialed->step();
    ERR_raise(ERR_LIB_SSL, SSL_R_BAD_LENGTH);
    if (meeting::waits(good.accepted_state)) good.accepted_state = good.accepted->step();
  }
  CHECK(bad.dialed_state == state::failed);
  REQUIRE(good.done());
  const auto there = good.dialed->take_channel();
  const auto here = good.accepted->take_channel();
  char byte = 'x';
  ERR_raise(ERR_LIB_SSL, SSL_R_BAD_LENGTH);
  CHECK(here->read(&byte, 1).state == flow::again);
  ERR_raise(ERR_LIB_SSL, SSL_R_BAD_LENGTH);
  CHECK(there->write(&byte, 1).state == flow::moved);
  ERR_raise(ERR_LIB_SSL, SSL_R_BAD_LENGTH);
  CHECK(here->read(&byte, 1).state == flow::moved);
  ERR_clear_error();
}

TEST_CASE("transfers megabytes in pieces, and sessions outlive their context") {
  acquaintances both;
  auto& one = both.one;
  const auto& there = both.there;
  const auto& here = both.here;
  one.dialed.reset();
  one.accepted.reset();
  std::string large(3'000'000, '\0');
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<char>(i % 251);
  CHECK(carry(*there, *here, large) == large);
  CHECK(carry(*here, *there, large) == large);
}

TEST_CASE("holds_bytes reports the rest of a record, which the socket does not") {
  acquaintances both;
  auto& one = both.one;
  const auto& there = both.there;
  const auto& here = both.here;
  CHECK_FALSE(here->holds_bytes());
  REQUIRE(there->write("0123456789", 10).bytes == 10);
  char bytes[10];
  CHECK(here->read(bytes, 4).bytes == 4);
  CHECK(here->holds_bytes());
  CHECK(here->read(bytes, 10).bytes == 6);
  CHECK_FALSE(here->holds_bytes());
  CHECK(here->read(bytes, 10).state == flow::again);
  one.sockets.dialed = socket_guard{};
  CHECK(here->read(bytes, 10).state == flow::closed);
}

TEST_CASE("a damaged record ends the stream") {
  acquaintances both;
  auto& one = both.one;
  const auto& there = both.there;
  const auto& here = both.here;
  REQUIRE(there->write("first", 5).bytes == 5);
  // An attacker in between inserts a record.
  REQUIRE(::send(one.sockets.dialed.get(), "\x17\x03\x03\x00\x20", 5, 0) == 5);
  REQUIRE(::send(one.sockets.dialed.get(), std::string(32, 'x').data(), 32, 0) == 32);
  REQUIRE(there->write("second", 6).bytes == 6);
  char bytes[10];
  CHECK(here->read(bytes, 10).bytes == 5);
  CHECK(here->read(bytes, 10).state == flow::closed);
  CHECK(here->read(bytes, 10).state == flow::closed);
  CHECK(ERR_peek_error() == 0);
}
