#include "runtime/transport/secret_handshake.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <utility>
#include <vector>

using namespace troupe::net;
using Catch::Contains;

namespace {

constexpr std::size_t message_size = 40;
constexpr std::size_t head_size = 8;
constexpr std::size_t version_at = 6;
constexpr std::size_t reason_at = 7;

const std::string secret = "a secret of the cluster";

std::string nonce(char of) { return std::string(secret_handshake::nonce_size, of); }

/// One end and its outcome.
struct talker {
  talker(side here, const std::string& knows, char drawn) : part(here, knows, nonce(drawn)) {}
  void take(const std::string& bytes) {
    try {
      part.take(bytes);
    } catch (const opening_error& e) {
      failure = e.what();
    }
  }
  bool fine() const { return failure.empty() && part.wanted() == 0; }

  secret_handshake part;
  std::string failure;
};

struct pair_of_ends {
  pair_of_ends(const std::string& dialed_knows, const std::string& accepted_knows)
      : dialed(side::dialed, dialed_knows, 'd'), accepted(side::accepted, accepted_knows, 'a') {}
  /// Delivers the output of both ends until there is no more, as long as the receiver still reads.
  void talk() {
    for (bool said = true; said;) {
      said = carry(dialed, accepted);
      said |= carry(accepted, dialed);
    }
  }
  static bool carry(talker& from, talker& to) {
    const auto bytes = from.part.take_output();
    if (bytes.empty() || to.part.wanted() == 0) return false;
    REQUIRE(bytes.size() == to.part.wanted());
    to.take(bytes);
    return true;
  }
  talker dialed;
  talker accepted;
};

} // namespace

TEST_CASE("two ends that know the same secret agree") {
  const auto known = GENERATE(std::string{}, secret, std::string(1000, '\0'));
  pair_of_ends two{known, known};
  two.talk();
  CHECK(two.dialed.fine());
  CHECK(two.accepted.fine());
}

TEST_CASE("different secrets never agree, whatever HMAC makes of them as keys") {
  // HMAC itself pads short keys with zeros, and hashes long ones.
  const auto [dialed, accepted] =
      GENERATE(std::pair{std::string(32, '\0'), std::string{}}, std::pair{std::string{}, std::string(64, '\0')},
               std::pair{secret, secret + '\0'}, std::pair{std::string(16, '\0'), std::string(17, '\0')});
  pair_of_ends two{dialed, accepted};
  two.talk();
  CHECK_THAT(two.dialed.failure, Contains("another cluster secret"));
  CHECK_THAT(two.accepted.failure, Contains("another cluster secret"));
}

TEST_CASE("the dialing end proves first: without the secret it gets nothing against which to test guesses") {
  talker accepted{side::accepted, secret, 'a'};
  talker guessing{side::dialed, "a guess", 'd'};
  accepted.take(guessing.part.take_output());
  const auto welcome = accepted.part.take_output();
  CHECK(welcome.substr(head_size) == nonce('a')); // the same for any secret
  guessing.take(welcome);
  accepted.take(guessing.part.take_output());
  CHECK_THAT(accepted.failure, Contains("another cluster secret"));
  const auto refusing = accepted.part.take_output();
  CHECK(refusing.substr(head_size) == std::string(32, '\0'));
}

TEST_CASE("both ends learn that the secrets differ") {
  const auto [dialed, accepted] =
      GENERATE(std::pair{secret, std::string{"another secret, as long"}}, std::pair{secret, std::string{}},
               std::pair{std::string{}, secret}, std::pair{secret, "A" + secret.substr(1)});
  pair_of_ends two{dialed, accepted};
  two.talk();
  const auto expected = "the other end has another cluster secret, or none";
  CHECK(two.dialed.failure == expected);
  CHECK(two.accepted.failure == expected);
}

namespace {

/// The messages of a successful handshake: of the dialing end, the accepting end, and so on.
std::vector<std::string> overheard(char dialed_nonce, char accepted_nonce) {
  talker dialed{side::dialed, secret, dialed_nonce};
  talker accepted{side::accepted, secret, accepted_nonce};
  std::vector<std::string> said;
  for (int turn = 0; turn < 2; ++turn) {
    said.push_back(dialed.part.take_output());
    accepted.take(said.back());
    said.push_back(accepted.part.take_output());
    dialed.take(said.back());
  }
  REQUIRE(dialed.fine());
  REQUIRE(accepted.fine());
  return said;
}

} // namespace

TEST_CASE("no message contains the secret") {
  for (const auto& said : overheard('d', 'a')) {
    CHECK(said.size() == message_size);
    CHECK(said.find(secret) == std::string::npos);
  }
}

TEST_CASE("refuses an accepting end that sends a welcome but no valid proof") {
  talker dialed{side::dialed, secret, 'd'};
  const auto hello = dialed.part.take_output();
  dialed.take(hello);
  dialed.part.take_output();
  // It does not know the secret, so it can only invent a proof.
  dialed.take(hello.substr(0, head_size) + std::string(32, '\0'));
  CHECK_THAT(dialed.failure, Contains("another cluster secret"));
}

TEST_CASE("refuses a dialing end without a valid proof") {
  talker accepted{side::accepted, secret, 'a'};
  talker stranger{side::dialed, "", 'd'};
  accepted.take(stranger.part.take_output());
  const auto welcome = accepted.part.take_output();
  accepted.take(welcome.substr(0, head_size) + std::string(32, '\0'));
  CHECK_THAT(accepted.failure, Contains("another cluster secret"));
}

TEST_CASE("rejects messages of an earlier handshake") {
  const auto earlier = overheard('d', 'a');
  talker accepted{side::accepted, secret, 'b'};
  accepted.take(earlier[0]);
  CHECK(accepted.part.take_output() != earlier[1]);
  accepted.take(earlier[2]);
  CHECK_THAT(accepted.failure, Contains("another cluster secret"));

  talker dialed{side::dialed, secret, 'e'};
  dialed.take(earlier[1]);
  dialed.part.take_output();
  dialed.take(earlier[3]);
  CHECK_THAT(dialed.failure, Contains("another cluster secret"));
}

TEST_CASE("rejects a proof that is sent back to the end that made it") {
  // The attacker repeats the nonce that it gets, so that both proofs cover the same nonces.
  talker dialed{side::dialed, secret, 'd'};
  dialed.take(dialed.part.take_output());
  dialed.take(dialed.part.take_output());
  CHECK_THAT(dialed.failure, Contains("another cluster secret"));

  // And in the other direction, with the proof that an accepting end would send to another end.
  const auto elsewhere = overheard('a', 'a');
  talker accepted{side::accepted, secret, 'a'};
  accepted.take(elsewhere[0]);
  accepted.take(elsewhere[3]);
  CHECK_THAT(accepted.failure, Contains("another cluster secret"));
}

TEST_CASE("an end of another version learns that, at either end") {
  const auto expected = "the other end speaks another version of the transport";
  SECTION("the dialing end") {
    talker accepted{side::accepted, secret, 'a'};
    auto hello = talker{side::dialed, secret, 'd'}.part.take_output();
    ++hello[version_at];
    accepted.take(hello);
    CHECK(accepted.failure == expected);
    const auto welcome = accepted.part.take_output();
    REQUIRE(welcome.size() == message_size);
    CHECK(welcome[reason_at] == static_cast<char>(refusal::other_version));
    // An end of this version understands the reason.
    talker dialed{side::dialed, secret, 'd'};
    dialed.take(welcome);
    CHECK(dialed.failure == expected);
  }
  SECTION("the accepting end") {
    talker dialed{side::dialed, secret, 'd'};
    talker accepted{side::accepted, secret, 'a'};
    accepted.take(dialed.part.take_output());
    auto welcome = accepted.part.take_output();
    ++welcome[version_at];
    dialed.take(welcome);
    CHECK(dialed.failure == expected);
    accepted.take(dialed.part.take_output());
    CHECK(accepted.failure == expected);
  }
}

TEST_CASE("understands a refusal from any version, with any reason") {
  const std::pair<refusal, const char*> reasons[] = {
      {refusal::other_secret, "has another cluster secret, or none"},
      {refusal::other_version, "speaks another version of the transport"},
      {refusal::wants_tls, "requires TLS"},
      {refusal::has_no_tls, "does not speak TLS"},
      {refusal::too_many_connections, "has too many connections"},
      {static_cast<refusal>(200), "refuses for a reason that this version does not know"}};
  for (const auto& [why, text] : reasons)
    for (const char version : {'\1', '\2', '\3'}) {
      talker dialed{side::dialed, secret, 'd'};
      auto welcome = refusing_welcome(why);
      REQUIRE(welcome.size() == dialed.part.wanted());
      welcome[version_at] = version;
      dialed.take(welcome);
      CHECK(dialed.failure == std::string{"the other end "} + text);
    }
}

TEST_CASE("refuses junk") {
  const auto junk = GENERATE(std::string(message_size, '\0'), std::string(message_size, '\xff'),
                             "troupe" + std::string(message_size - 6, '\1'), "HTTP/1.1 400 Bad" + std::string(24, ' '));
  for (const auto here : {side::dialed, side::accepted}) {
    talker end{here, secret, 'x'};
    end.part.take_output();
    end.take(junk.substr(0, end.part.wanted()));
    CHECK(end.failure == "the other end does not speak this protocol");
    CHECK(end.part.take_output().empty()); // it gets no reason
  }
}

TEST_CASE("a flipped bit in any byte of a handshake ends it") {
  for (std::size_t at = 0; at < 4 * message_size; ++at) {
    CAPTURE(at);
    pair_of_ends two{secret, secret};
    for (std::size_t number = 0; number < 4; ++number) {
      auto& from = number % 2 == 0 ? two.dialed : two.accepted;
      auto& to = number % 2 == 0 ? two.accepted : two.dialed;
      auto said = from.part.take_output();
      if (at / message_size == number) said[at % message_size] ^= 0x10;
      if (to.failure.empty() && said.size() == message_size) to.take(said);
    }
    // The end whose last message was damaged cannot know. The receiver of the damage does, or gets a refusal.
    CHECK_FALSE(two.dialed.fine());
    if (at < 3 * message_size) CHECK_FALSE(two.accepted.fine());
  }
}

TEST_CASE("recognizes any prefix of a hello") {
  CHECK(begins_hello(""));
  CHECK(begins_hello("T"));
  CHECK(begins_hello("TROU"));
  CHECK(begins_hello("TROUPE"));
  CHECK(begins_hello(talker(side::dialed, "", 'd').part.take_output()));
  CHECK_FALSE(begins_hello("\x16"));
  CHECK_FALSE(begins_hello("TROUPF"));
  CHECK_FALSE(begins_hello("GET / HTTP/1.1"));
}

TEST_CASE("a nonce of another size is an error of the caller") {
  CHECK_THROWS_AS(secret_handshake(side::dialed, "", std::string(31, 'x')), std::logic_error);
  secret_handshake part{side::accepted, "", nonce('a')};
  CHECK_THROWS_AS(part.take("TROUPE"), std::logic_error);
}
