// The text of events and outputs in the live trace.
#include "raft/describe.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace troupe::raft;
using Catch::Contains;

namespace {

constexpr cluster_id ours{7};
const header head{ours, {1}, {2}, 3};

entry command(index_t index, const std::string& data) { return {index, 3, entry_kind::command, bytes{data}}; }

} // namespace

TEST_CASE("a message is described with sender, receiver, term and indexes, and data as a size") {
  const append_request request{head, 4, 2, 4, 9, {command(5, "secret"), {6, 3, entry_kind::noop, {}}}, 1};
  CHECK(describe(rpc{request}, text_style::log) ==
        "0000000000000001->0000000000000002 term 3 append prev 4/2 [5/3 command of 6 bytes 6/3 noop] commit 4 round 9");
  CHECK(describe(rpc{request}, text_style::test) ==
        "1->2 term 3 append prev 4/2 [5/3 secret 6/3 noop] commit 4 round 9");
  const snapshot_request chunk{head, {{8, 3}, 100, 5}, 10, bytes{"secret"}, 2, 1};
  CHECK(describe(event{rpc{chunk}}, text_style::log) ==
        "receives 0000000000000001->0000000000000002 term 3 snapshot 8/3 from byte 10, 6 bytes, round 2");
}

TEST_CASE("the log does not get the data of proposals, reads and chunks") {
  CHECK(describe(event{propose{{{1, bytes{"secret"}}, {2, bytes{"more"}}}}}, text_style::log) ==
        "proposed 2 commands of 10 bytes");
  const auto chunk = describe(replicator_event{snapshot_chunk{{{8, 3}, 100, 5}, 0, bytes{"secret"}}}, text_style::log);
  CHECK(chunk == "read snapshot 8/3 from byte 0, 6 bytes");
}

TEST_CASE("a long list of entries is cut in the log") {
  std::vector<entry> entries;
  for (index_t i = 1; i <= 1000; ++i) entries.push_back(command(i, "1234567890"));
  CHECK(describe(entries, text_style::log) ==
        "[1/3 command of 10 bytes 2/3 command of 10 bytes 3/3 command of 10 bytes 4/3 command of 10 bytes ... up to "
        "1000/3, 10000 bytes]");
}

TEST_CASE("a step's output is one line") {
  output out;
  CHECK(describe(out, 500).empty());
  out.write_now = troupe::raft::write{4, hard_state{3, {1}}, {}, {}, {command(5, "secret")}};
  out.accepted_now = {{11, 5, 3}};
  out.failed_reads = {{12, reject_reason::not_leader, {}}};
  out.commit_to = 4;
  out.send_now = {vote_request{head, 4, 2, true, false}};
  out.send_after_persist = {vote_response{head, false, true}};
  out.replicate_now = replicate{{command(5, "secret")}, 5, 4, 9};
  out.next_role = transition{role_kind::leader, {}};
  CHECK(describe(out, 1000) ==
        "becomes leader; write 4 term 3 vote 0000000000000001 [5/3 command of 6 bytes]; accepted 11 as 5/3; refused "
        "12: not leader, leader none; applies up to 4; sends 0000000000000001->0000000000000002 term 3 pre-vote? last "
        "4/2; after sync sends 0000000000000001->0000000000000002 term 3 vote granted; replicates [5/3 command of 6 "
        "bytes] last 5 commit 4 round 9");
  CHECK_THAT(describe(out, 1000), !Contains("secret"));
}

TEST_CASE("the first few items of long lists are named in the log, and all in tests") {
  output out;
  for (std::uint64_t i = 1; i <= 10'000; ++i) out.accepted_now.push_back({i, i, 3});
  const auto effects = effects_of(out, text_style::log);
  REQUIRE(effects.size() == 5);
  CHECK(effects[3] == "accepted 4 as 4/3");
  CHECK(effects[4] == "... and 9996 more");
  CHECK(effects_of(out, text_style::test).size() == 10'000);
  change_members change;
  change.remove.resize(1'000, node_id{7});
  const auto removals = describe(event{change}, text_style::log);
  CHECK(removals.find("remove 0000000000000007 ... and 996 more") != removals.npos);
  configuration members;
  members.voters.resize(1'000, member{{7}, "n7:1"});
  const auto voters = describe(members, text_style::log);
  CHECK(voters.find(",0000000000000007 ... and 996 more") != voters.npos);
}

TEST_CASE("the text of an output that is too long ends soon after the limit") {
  output out;
  for (int i = 0; i < 1000; ++i) out.send_now.emplace_back(timeout_now{head});
  CHECK(describe(out, 500).size() < 600);
  replicator_output requests;
  for (int i = 0; i < 1000; ++i) requests.send.push_back({head, 0, 0, 0, 0, {}, 0});
  CHECK(describe(requests, 500).size() < 700);
}
