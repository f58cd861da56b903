#include "actors/caf.hpp"
#include "tests/actor/plain_config.hpp"

#include <troupe/errors.hpp>

#include <catch2/catch.hpp>

using namespace troupe;

TEST_CASE("an error carries all of its info") {
  const error_info info{errc::no_leader, "no leader", "00000000000000aa", "host:1"};
  const auto got = describe(make_error(info));
  CHECK(got.code == info.code);
  CHECK(got.message == info.message);
  CHECK(got.leader_id == info.leader_id);
  CHECK(got.leader_address == info.leader_address);
}

TEST_CASE("errc::none makes an empty error") {
  CHECK_FALSE(make_error({}));
  CHECK(describe({}).code == errc::none);
}

TEST_CASE("the text of an error omits empty parts") {
  test::plain_config settings;
  caf::actor_system system{settings};
  CHECK(to_text(system, make_error({errc::no_leader, "no leader", "", ""})) == "no leader");
  CHECK(to_text(system, make_error({errc::no_leader, "no leader", "00aa", "host:1"})) == "no leader: 00aa: host:1");
  const auto wordless = to_text(system, make_error({errc::no_leader, "", "", ""}));
  CHECK((!wordless.empty() && !wordless.ends_with(": ")));
}

TEST_CASE("foreign errors leave the outcome unknown") {
  CHECK(describe(make_error(caf::sec::request_timeout)).code == errc::outcome_unknown);
  CHECK(describe(compat::own_error(200)).code == errc::outcome_unknown);
}

TEST_CASE("each code has an outcome and a distinct name") {
  for (int raw = 0; is_known(static_cast<errc>(raw)); ++raw) {
    const auto code = static_cast<errc>(raw);
    const auto expected = code == errc::none              ? outcome::committed
                          : code == errc::outcome_unknown ? outcome::unknown
                                                          : outcome::rejected;
    CHECK(outcome_of(code) == expected);
    for (int other = 0; other < raw; ++other)
      CHECK(std::string{to_string(code)} != to_string(static_cast<errc>(other)));
  }
}
