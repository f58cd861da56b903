// The choice of what the live trace shows, and its lines in the log.
#include "actors/trace.hpp"
#include "tests/actor/captured_log.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

using namespace troupe;
using words = std::vector<std::string>;

TEST_CASE("TROUPE_TRACE is a switch, or a list of areas") {
  CHECK(trace::parse("").areas == 0);
  CHECK(trace::parse("0").areas == 0);
  CHECK(trace::parse("off").areas == 0);
  CHECK(trace::parse("1").areas == trace::all);
  CHECK(trace::parse("all").areas == trace::all);
  CHECK(trace::parse("raft").areas == trace::raft);
  CHECK(trace::parse("actors,links").areas == (trace::actors | trace::links));
  CHECK(trace::parse("raft,,").unknown.empty());
}

TEST_CASE("unknown words of TROUPE_TRACE are kept apart, and the others count") {
  const auto mixed = trace::parse("raft,disk,RAFT");
  CHECK(mixed.areas == trace::raft);
  CHECK(mixed.unknown == words{"disk", "RAFT"});
}

TEST_CASE("the trace is off at first, and its lines are in the log once it is on") {
  testing::captured_log log;
  CHECK_FALSE(trace::is_on(trace::raft));
  trace::turn_on("raft,links");
  CHECK(trace::is_on(trace::raft));
  CHECK(trace::is_on(trace::links));
  CHECK_FALSE(trace::is_on(trace::actors));
  trace::write(trace::raft, "a step");
  CHECK(log.take() == "trace: raft: a step\n");
  trace::write(trace::links, std::string(10'000, 'x'));
  CHECK(log.take() == "trace: links: " + std::string(trace::max_line, 'x') + "...\n");
  trace::turn_on("");
  CHECK_FALSE(trace::is_on(trace::raft));
}

TEST_CASE("one line of the log names the unknown words of TROUPE_TRACE") {
  testing::captured_log log;
  trace::turn_on("disk,actors,ra\nft");
  CHECK(log.take() == "warning: TROUPE_TRACE: there is no area \"disk\", \"ra\\x0aft\"; the areas are actors, raft, "
                      "links and all\n");
  CHECK(trace::is_on(trace::actors));
  trace::turn_on("");
}
