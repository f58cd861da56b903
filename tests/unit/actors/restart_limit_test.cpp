// How often a replica may restart.
#include "runtime/restart_limit.hpp"

#include <catch2/catch.hpp>

namespace troupe {
namespace {

TEST_CASE("more than three restarts within ten seconds are too many") {
  const raft::time_point start{std::chrono::seconds{1000}};
  restart_limit limit;
  for (int i = 0; i < 3; ++i) {
    limit.note(start + std::chrono::seconds{i});
    CHECK(!limit.exceeded());
  }
  SECTION("soon") {
    limit.note(start + std::chrono::seconds{10});
    CHECK(limit.exceeded());
  }
  SECTION("later, when the first does not count any more") {
    limit.note(start + std::chrono::milliseconds{10'001});
    CHECK(!limit.exceeded());
  }
}

} // namespace
} // namespace troupe
