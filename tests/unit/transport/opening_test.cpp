#include "runtime/transport/opening.hpp"
#include "tests/unit/transport/certificates.hpp"
#include "tests/unit/transport/connected_pair.hpp"

#include <catch2/catch.hpp>

#include <optional>

using namespace troupe::net;
using namespace troupe::net::testing;
using Catch::Contains;
using Catch::StartsWith;
using wants = opening::wants;

namespace {

const std::string secret = "a secret of the cluster";
const auto other_secret = "the other end has another cluster secret, or none";

/// One end of a connection, until its owner would close it.
class end {
 public:
  end(side here, socket_guard socket, const credentials& mine) : socket_(std::move(socket)) {
    talk_.emplace(here, socket_.get(), mine);
  }
  /// False when it has ended, with or without success.
  bool step() {
    if (!talk_) return false;
    try {
      waits_for = talk_->step();
      if (waits_for != wants::nothing) return true;
      stream = talk_->take_channel();
    } catch (const opening_error& e) {
      failure = e.what();
      socket_ = socket_guard{};
    }
    talk_.reset();
    return false;
  }

  wants waits_for = wants::nothing;
  std::string failure;
  std::unique_ptr<channel> stream;

 private:
  socket_guard socket_;
  std::optional<opening> talk_;
};

struct meeting {
  meeting(const credentials& dialing, const credentials& accepting, connected_pair sockets = {})
      : dialed(side::dialed, std::move(sockets.dialed), dialing),
        accepted(side::accepted, std::move(sockets.accepted), accepting) {
    for (int turn = 0; turn < 50; ++turn) {
      dialed.step();
      accepted.step();
    }
  }
  end dialed;
  end accepted;
};

void check_talk(meeting& one) {
  INFO(one.dialed.failure << "; " << one.accepted.failure);
  REQUIRE(one.dialed.stream);
  REQUIRE(one.accepted.stream);
  char bytes[10];
  CHECK(one.dialed.stream->write("there", 5).bytes == 5);
  CHECK(one.accepted.stream->read(bytes, 10).bytes == 5);
  CHECK(one.accepted.stream->write("back", 4).bytes == 4);
  CHECK(one.dialed.stream->read(bytes, 10).bytes == 4);
}

void check_refused(const meeting& one, const std::string& by_dialed, const std::string& by_accepted) {
  CHECK(one.dialed.failure == by_dialed);
  CHECK(one.accepted.failure == by_accepted);
  CHECK_FALSE(one.dialed.stream);
  CHECK_FALSE(one.accepted.stream);
}

/// Certificates of one cluster.
struct cluster {
  temporary_folder folder;
  authority ca{folder, "ca"};
  std::shared_ptr<const tls_context> tls = tls_context::load(options_for(ca.issue("mine")));
};

void send_all(const socket_guard& to, std::string_view bytes) {
  REQUIRE(::send(to.get(), bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
}

} // namespace

TEST_CASE("ends that agree on TLS and on the secret open a connection") {
  const cluster ours;
  const auto known = GENERATE(std::string{}, secret);
  SECTION("plain") {
    meeting one{{{}, known}, {{}, known}};
    check_talk(one);
  }
  SECTION("TLS") {
    meeting one{{ours.tls, known}, {ours.tls, known}};
    check_talk(one);
  }
}

TEST_CASE("ends with different secrets both report it") {
  const cluster ours;
  const auto [dialed, accepted] = GENERATE(std::pair{secret, std::string{}}, std::pair{std::string{}, secret},
                                           std::pair{secret, std::string{"another secret of a cluster"}});
  check_refused({{{}, dialed}, {{}, accepted}}, other_secret, other_secret);
  check_refused({{ours.tls, dialed}, {ours.tls, accepted}}, other_secret, other_secret);
}

TEST_CASE("a plain end dials where TLS is required: both report it, whatever the secrets") {
  const cluster ours;
  const auto [dialed, accepted] =
      GENERATE(std::pair{secret, secret}, std::pair{secret, std::string{}}, std::pair{std::string{}, std::string{}});
  check_refused({{{}, dialed}, {ours.tls, accepted}}, "the other end requires TLS",
                "the other end does not speak TLS, and TLS is required here");
}

TEST_CASE("a TLS end dials where TLS is off: both report it, whatever the secrets") {
  const cluster ours;
  const auto [dialed, accepted] =
      GENERATE(std::pair{secret, secret}, std::pair{secret, std::string{}}, std::pair{std::string{}, std::string{}});
  check_refused({{ours.tls, dialed}, {{}, accepted}}, "the other end does not speak TLS",
                "the other end speaks TLS, and TLS is off here");
}

TEST_CASE("unsuitable certificates end an opening") {
  const cluster ours;
  const cluster theirs;
  const meeting one{{ours.tls, secret}, {theirs.tls, secret}};
  CHECK_THAT(one.dialed.failure, Contains("the other end's certificate"));
  CHECK_THAT(one.accepted.failure, Contains("TLS"));
  CHECK_FALSE(one.dialed.stream);
  CHECK_FALSE(one.accepted.stream);

  // In TLS 1.3 the dialing end completes its handshake before its certificate is checked.
  auto stranger = theirs.ca.issue("stranger");
  stranger.ca = ours.ca.certificate();
  const meeting other{{tls_context::load(options_for(stranger)), secret}, {ours.tls, secret}};
  CHECK_THAT(other.dialed.failure,
             StartsWith("the other end closed the connection during the secret handshake: TLS: ") && Contains("alert"));
  CHECK_THAT(other.accepted.failure, Contains("the other end's certificate"));
  CHECK_FALSE(other.dialed.stream);
  CHECK_FALSE(other.accepted.stream);
}

TEST_CASE("accepts an opening that arrives byte by byte") {
  connected_pair sockets;
  const auto here = GENERATE(side::dialed, side::accepted);
  const auto& raw = here == side::dialed ? sockets.accepted : sockets.dialed;
  end ours{here, std::move(here == side::dialed ? sockets.dialed : sockets.accepted), {{}, secret}};
  secret_handshake theirs{here == side::dialed ? side::accepted : side::dialed, secret, std::string(32, 'n')};
  std::string heard;
  for (int turn = 0; turn < 10 && (theirs.wanted() > 0 || !ours.stream); ++turn) {
    for (const char c : theirs.take_output()) {
      send_all(raw, {&c, 1});
      ours.step();
    }
    ours.step();
    heard += received(raw.get());
    if (theirs.wanted() > 0 && heard.size() >= theirs.wanted()) {
      const auto size = theirs.wanted();
      theirs.take(heard.substr(0, size));
      heard.erase(0, size);
    }
  }
  CHECK(theirs.wanted() == 0);
  CHECK(ours.failure.empty());
  CHECK(ours.stream);
}

TEST_CASE("leaves bytes that follow the handshake at once for the reader") {
  connected_pair sockets;
  end ours{side::accepted, std::move(sockets.accepted), {{}, secret}};
  secret_handshake theirs{side::dialed, secret, std::string(32, 'n')};
  send_all(sockets.dialed, theirs.take_output());
  ours.step();
  theirs.take(received(sockets.dialed.get()));
  send_all(sockets.dialed, theirs.take_output() + "frame");
  CHECK_FALSE(ours.step());
  REQUIRE(ours.stream);
  char bytes[10];
  CHECK(ours.stream->read(bytes, 10).bytes == 5);
  CHECK(std::string(bytes, 5) == "frame");
}

TEST_CASE("waits for the rest of a hello, but not after the other end has closed") {
  const cluster ours;
  const auto hello = secret_handshake{side::dialed, secret, std::string(32, 'n')}.take_output();
  for (const std::size_t size : {1u, 6u, 20u, 39u}) {
    connected_pair sockets;
    end accepted{side::accepted, std::move(sockets.accepted), {{}, secret}};
    send_all(sockets.dialed, hello.substr(0, size));
    CHECK(accepted.step());
    CHECK(accepted.waits_for == wants::read);
    CHECK(received(sockets.dialed.get()).empty());
    sockets.dialed = socket_guard{};
    CHECK_FALSE(accepted.step());
    CHECK(accepted.failure == "the other end closed the connection during the secret handshake");
  }
}

TEST_CASE("notices an end that connects and disconnects without sending") {
  const cluster ours;
  const auto tls = GENERATE(false, true);
  connected_pair sockets;
  end accepted{side::accepted, std::move(sockets.accepted), {tls ? ours.tls : nullptr, secret}};
  CHECK(accepted.step());
  CHECK(accepted.waits_for == wants::read);
  CHECK(received(sockets.dialed.get()).empty());
  sockets.dialed = socket_guard{};
  CHECK_FALSE(accepted.step());
  CHECK(accepted.failure == "closed before it sent anything");
}

TEST_CASE("the first byte of a plain hello is enough to refuse it where TLS is required") {
  const cluster ours;
  connected_pair sockets;
  end accepted{side::accepted, std::move(sockets.accepted), {ours.tls, secret}};
  send_all(sockets.dialed, "T");
  CHECK_FALSE(accepted.step());
  CHECK(received(sockets.dialed.get()) == refusing_welcome(refusal::wants_tls));
}

TEST_CASE("refuses other protocols") {
  const cluster ours;
  const auto request = "GET / HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n";
  connected_pair sockets;
  SECTION("plain") {
    end accepted{side::accepted, std::move(sockets.accepted), {{}, secret}};
    send_all(sockets.dialed, request);
    CHECK_FALSE(accepted.step());
    CHECK(accepted.failure == "the other end does not speak this protocol");
    CHECK(received(sockets.dialed.get()).empty());
  }
  SECTION("TLS") {
    end accepted{side::accepted, std::move(sockets.accepted), {ours.tls, secret}};
    send_all(sockets.dialed, request);
    CHECK_FALSE(accepted.step());
    CHECK_THAT(accepted.failure, Contains("TLS") && Contains("http request"));
  }
}

TEST_CASE("waits while its socket is not writable") {
  connected_pair sockets;
  const std::string block(10'000, 'x');
  while (::send(sockets.dialed.get(), block.data(), block.size(), MSG_DONTWAIT) > 0) {
  }
  end dialed{side::dialed, std::move(sockets.dialed), {{}, secret}};
  CHECK(dialed.step());
  CHECK(dialed.waits_for == wants::write);
  while (!received(sockets.accepted.get()).empty()) {
  }
  CHECK(dialed.step());
  CHECK(dialed.waits_for == wants::read);
  CHECK(begins_hello(received(sockets.accepted.get())));
}
