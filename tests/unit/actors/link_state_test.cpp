// When a link dials, sends a hello and pauses.
#include "actors/cluster/link_state.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

namespace troupe {
namespace {

using namespace std::chrono_literals;
using action = link_state::action;

const raft::time_point start{1000s};

constexpr link_options tolerant{
    .first_hello_timeout = 1s,
    .repeated_hello_timeout = 1500ms,
    .max_silences = 2,
    .hello_interval = 500ms,
    .longest_pause_unanswered = 30s,
    .min_redial_interval = 500ms,
};

/// From any phase except the final one to `up`.
void connect(link_state& link) {
  link.begin_dialing(start);
  link.dialed();
  link.begin_hello();
  link.answered();
  link.accepted();
  REQUIRE(link.up());
}

/// The longest of the pauses after `failures` failures in a row.
raft::duration longest_pause_of(link_state& link, int failures) {
  raft::duration longest{};
  for (; failures > 0; --failures) {
    link.begin_dialing(start);
    longest = std::max(longest, link.lost());
  }
  return longest;
}

TEST_CASE("a link is up when an answer to its hello was accepted") {
  link_state link{tolerant, 1};
  link.begin_dialing(start);
  link.dialed();
  CHECK(link.begin_hello() == 1s);
  CHECK_FALSE(link.up());
  link.answered();
  link.accepted();
  CHECK(link.up());
  CHECK(link.next_hello() == raft::duration{500ms});
  CHECK(link.begin_hello() == 1500ms);
}

TEST_CASE("answers of an earlier attempt are recognized") {
  link_state link{tolerant, 1};
  const auto first = link.begin_dialing(start);
  CHECK(link.is_current(first));
  link.lost();
  CHECK_FALSE(link.is_current(first));
  const auto second = link.begin_dialing(start);
  CHECK(link.is_current(second));
  CHECK(link.attempt() == second);
  CHECK_FALSE(link.is_current(first));
  link.end();
  CHECK_FALSE(link.is_current(second));
}

TEST_CASE("a link that is up tolerates fewer unanswered hellos in a row than its limit") {
  link_state link{tolerant, 1};
  connect(link);
  link.begin_hello();
  CHECK(link.unanswered());
  link.begin_hello();
  link.answered(); // an answer between them
  link.accepted();
  link.begin_hello();
  CHECK(link.unanswered());
  link.begin_hello();
  CHECK_FALSE(link.unanswered());
  CHECK(link.up()); // the owner cuts the connection of a link that was up
  link.lost();
  CHECK_FALSE(link.up());
  // The next connection starts with no silence.
  connect(link);
  link.begin_hello();
  CHECK(link.unanswered());
}

TEST_CASE("the first hello of a connection is not repeated") {
  link_state link{tolerant, 1};
  link.begin_dialing(start);
  link.dialed();
  link.begin_hello();
  CHECK_FALSE(link.unanswered());
}

TEST_CASE("a link without tolerance is lost by one unanswered hello") {
  auto strict = tolerant;
  strict.max_silences = 1;
  link_state link{strict, 1};
  connect(link);
  link.begin_hello();
  CHECK_FALSE(link.unanswered());
}

TEST_CASE("only the newest timer counts") {
  link_state link{tolerant, 1};
  connect(link);
  const auto old = link.arm();
  const auto timer = link.arm();
  CHECK(link.fired(old) == action::none);
  CHECK(link.fired(timer) == action::greet);
  link.begin_hello(); // for another reason; its answer arms the next timer
  CHECK(link.fired(timer) == action::none);
  link.lost();
  CHECK(link.fired(old) == action::none);
  CHECK(link.fired(timer) == action::dial);
  link.begin_dialing(start);
  CHECK(link.fired(timer) == action::none);
}

TEST_CASE("a link that is up sends a changed hello at once, or after the answer to the one before it") {
  link_state link{tolerant, 1};
  link.begin_dialing(start);
  CHECK(link.hello_changed() == action::none);
  link.dialed();
  link.begin_hello();
  CHECK(link.hello_changed() == action::none);
  link.answered();
  link.accepted();
  CHECK(link.next_hello());
  CHECK(link.hello_changed() == action::greet);
  link.begin_hello();
  CHECK(link.hello_changed() == action::none);
  link.answered();
  link.accepted();
  CHECK_FALSE(link.next_hello());
  link.begin_hello();
  link.answered();
  link.accepted();
  CHECK(link.next_hello());
}

TEST_CASE("a pause ends early, but not soon after the last attempt") {
  link_state link{tolerant, 1};
  link.begin_dialing(start);
  CHECK(link.redial(start + 1h) == action::none);
  link.lost();
  CHECK(link.redial(start + 499ms) == action::none);
  CHECK(link.redial(start + 500ms) == action::dial);
  connect(link);
  CHECK(link.redial(start + 1h) == action::none);
}

TEST_CASE("pauses grow to their own limit until the first accepted answer") {
  link_state link{tolerant, 1};
  link.begin_dialing(start);
  const auto first = link.lost();
  CHECK(first >= 25ms);
  CHECK(first <= 50ms);
  const auto longest = longest_pause_of(link, 30);
  CHECK(longest > 15s);
  CHECK(longest <= 30s);
  connect(link);
  CHECK(link.lost() <= 50ms);
  CHECK(longest_pause_of(link, 30) <= 1s);
  connect(link); // the pauses are short again
  CHECK(link.lost() <= 50ms);
}

TEST_CASE("a link that ended does nothing more") {
  link_state link{tolerant, 1};
  connect(link);
  const auto timer = link.arm();
  link.end();
  CHECK_FALSE(link.up());
  CHECK(link.fired(timer) == action::none);
  CHECK(link.redial(start + 1h) == action::none);
  CHECK(link.hello_changed() == action::none);
}

} // namespace
} // namespace troupe
