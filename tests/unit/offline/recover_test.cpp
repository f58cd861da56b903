#include "runtime/offline/recover.hpp"

#include "runtime/offline/directory.hpp"
#include "runtime/offline/inspect.hpp"
#include "runtime/offline/repair.hpp"
#include "runtime/storage/data_dir.hpp"
#include "tests/unit/offline/offline_node.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::test;
using Catch::Contains;

namespace {

int recover_alone(file_system& fs, const std::string& address = {}) {
  captured shown;
  return offline::recover(fs, {"/a"}, {.address = address, .yes = true}, shown.to);
}

/// Whether this node is the only member of the last configuration.
bool alone(const raft::recovered& found, raft::node_id id) {
  if (found.configurations.empty()) return false;
  const auto members = raft::decode_configuration(found.configurations.back().data.view());
  return members && members->members().size() == 1 && members->is_voter(id);
}

} // namespace

TEST_CASE("the survivor with the best log becomes a cluster of one") {
  for (const bool compacted : {false, true}) {
    memory_file_system fs;
    const auto id =
        make_directory(fs, "/a", {.entries = 20, .last_term = 5, .snapshot_at = 12, .compacted = compacted});
    make_directory(fs, "/b", {.entries = 25, .last_term = 4});
    make_directory(fs, "/c", {.entries = 19, .last_term = 5});
    captured shown;
    shown.answer = true;
    REQUIRE(offline::recover(fs, {"/a", "/b", "/c"}, {}, shown.to) == offline::all_good);
    REQUIRE_THAT(shown.err.str(), Contains("1 of 3 members named here\n") && Contains("/b") &&
                                      Contains("entry 25 of term 4") && Contains("LOST") &&
                                      Contains("cannot be undone"));
    raft::cluster_id cluster;
    {
      const data_dir directory{fs, "/a"};
      REQUIRE(directory.id() == id);
      cluster = directory.cluster();
    }
    REQUIRE(cluster);
    REQUIRE(cluster != old_cluster);
    REQUIRE_THAT(shown.out.str(),
                 Contains(to_string(cluster)) && Contains("--bootstrap-expect 0 --discovery static:here:1"));
    const auto found = start(fs, "/a");
    REQUIRE(found.last_index == 21);
    REQUIRE(found.hard == raft::hard_state{6, {}});
    REQUIRE(found.terms.back() == raft::term_run{21, 6});
    REQUIRE(alone(found, id));
    REQUIRE(found.snapshot->last.index == 12);
    REQUIRE(found.notes.empty());
    REQUIRE(fs.list("/a/snapshots").size() == 1);
    captured good;
    REQUIRE(offline::verify(fs, "/a", good.to) == offline::all_good);
    // The others are unchanged.
    REQUIRE(start(fs, "/b").last_index == 25);
  }
}

TEST_CASE("requires the survivor with the newest log to be named first") {
  memory_file_system fs;
  make_directory(fs, "/a", {.entries = 20, .last_term = 4});
  make_directory(fs, "/b", {.entries = 19, .last_term = 5});
  fs.before_each([](const disk_operation&) { FAIL("something was changed"); });
  captured shown;
  REQUIRE_THROWS_WITH(offline::recover(fs, {"/a", "/b"}, {.yes = true}, shown.to),
                      Contains("/b has a newer log (entry 19 of term 5)") && Contains("name it first"));
  REQUIRE(offline::recover(fs, {"/b", "/a"}, {}, shown.to) == offline::bad_usage); // the answer is no
  REQUIRE(shown.asked == 1);
}

TEST_CASE("rejects a survivor without its state, of another cluster, of no cluster, or in use") {
  memory_file_system fs;
  make_directory(fs, "/a", {.snapshot_at = 12, .compacted = true});
  captured shown;
  SECTION("state lost") {
    fs.remove(std::filesystem::path{"/a/snapshots"} / fs.list("/a/snapshots")[0]);
    REQUIRE_THROWS_WITH(recover_alone(fs), Contains("no readable snapshot"));
  }
  SECTION("other clusters") {
    make_directory(fs, "/b", {});
    REQUIRE(offline::recover(fs, {"/b"}, {.yes = true}, shown.to) == offline::all_good);
    REQUIRE_THROWS_WITH(offline::recover(fs, {"/a", "/b"}, {.yes = true}, shown.to),
                        Contains("belongs to cluster") &&
                            Contains("was interrupted, run it again with that one alone"));
    data_dir{fs, "/fresh"};
    REQUIRE_THROWS_WITH(offline::recover(fs, {"/a", "/fresh"}, {.yes = true}, shown.to),
                        Contains("does not belong to a cluster"));
  }
  SECTION("nothing in it") {
    make_directory(fs, "/empty", {.entries = 0});
    REQUIRE_THROWS_WITH(offline::recover(fs, {"/empty"}, {.address = "here:1", .yes = true}, shown.to),
                        Contains("no entries at all"));
  }
  SECTION("in use") {
    const data_dir held{fs, "/a"};
    REQUIRE_THROWS_WITH(recover_alone(fs), Contains("in use"));
  }
}

TEST_CASE("a recovery can set a new address") {
  memory_file_system fs;
  make_directory(fs, "/a", {});
  REQUIRE(recover_alone(fs, "there:2") == offline::all_good);
  const auto found = start(fs, "/a");
  REQUIRE(raft::decode_configuration(found.configurations.back().data.view())->voters[0].address == "there:2");
}

TEST_CASE("rejects an invalid address") {
  memory_file_system fs;
  make_directory(fs, "/a", {});
  fs.before_each([](const disk_operation&) { FAIL("something was changed"); });
  for (const auto* address : {"garbage", "host:", "host:0", ":1"})
    REQUIRE_THROWS_AS(recover_alone(fs, address), offline::usage_error);
}

TEST_CASE("a majority of survivors is recovered only with --despite-majority") {
  memory_file_system fs;
  make_directory(fs, "/a", {.other_voters = 2});
  make_directory(fs, "/b", {.last_term = 2, .id = raft::node_id{10}});
  make_directory(fs, "/c", {.last_term = 2, .id = raft::node_id{9}}); // a learner
  captured shown;
  const auto recover = [&](const offline::recover_options& options) {
    return offline::recover(fs, {"/a", "/b", "/c"}, options, shown.to);
  };
  REQUIRE_THROWS_WITH(recover({.yes = true}), Contains("3 of 4 members are named, which is a majority: start them"));
  REQUIRE(recover({.despite_majority = true}) == offline::bad_usage); // the answer is no
  REQUIRE_THAT(shown.err.str(), Contains("3 of 4 members named here: a majority"));
  // The learner does not count for the majority.
  REQUIRE(offline::recover(fs, {"/a", "/c"}, {}, shown.to) == offline::bad_usage);
  REQUIRE_THAT(shown.err.str(), Contains("2 of 4 members named here\n") && Contains("which does not vote"));
  REQUIRE(recover({.despite_majority = true, .yes = true}) == offline::all_good);
}

TEST_CASE("a recovered node is not recovered again") {
  memory_file_system fs;
  make_directory(fs, "/a", {});
  make_directory(fs, "/b", {.entries = 5});
  REQUIRE(recover_alone(fs) == offline::all_good);
  const auto cluster = data_dir{fs, "/a"}.cluster();
  captured shown;
  REQUIRE(offline::recover(fs, {"/a", "/b"}, {.yes = true}, shown.to) == offline::all_good);
  REQUIRE_THAT(shown.out.str(), Contains("/a is the only member") && Contains("start it"));
  REQUIRE(data_dir{fs, "/a"}.cluster() == cluster);
}

TEST_CASE("a survivor counts only once") {
  memory_file_system fs;
  make_directory(fs, "/a", {});
  make_directory(fs, "/copy", {.id = data_dir{fs, "/a"}.id()});
  fs.before_each([](const disk_operation&) { FAIL("something was changed"); });
  captured shown;
  REQUIRE_THROWS_WITH(offline::recover(fs, {"/a", "/b/../a/"}, {}, shown.to), Contains("named twice"));
  REQUIRE_THROWS_WITH(offline::recover(fs, {"/a", "/copy"}, {}, shown.to), Contains("/a and /copy are both node"));
}

TEST_CASE("names the newest good snapshot of a survivor whose log is damaged") {
  memory_file_system fs;
  make_directory(fs, "/a", {.snapshot_at = 5});
  fs.flip_byte(segment("/a", 4), wal_format::first_record + 80);
  const auto snapshot = std::filesystem::path{"/a/snapshots"} / fs.list("/a/snapshots")[0];
  try {
    recover_alone(fs);
    FAIL("it was recovered");
  } catch (const raft::storage_error& error) {
    REQUIRE(error.damaged());
    REQUIRE_THAT(error.what(), Contains("up to entry 5 is good") && Contains("--restore " + snapshot.string()) &&
                                   !Contains("makes it a new node"));
  }
  fs.flip_byte("/a/identity", 15);
  REQUIRE_THROWS_WITH(recover_alone(fs), Contains("the identity of /a is damaged") && Contains(snapshot.string()));
  fs.flip_byte("/a/identity", 15);
  fs.flip_byte(snapshot, 150);
  REQUIRE_THROWS_WITH(recover_alone(fs), Contains("no good snapshot"));
}

TEST_CASE("after a repair the log up to the damage can be recovered from the archived files") {
  memory_file_system fs;
  make_directory(fs, "/a", {.snapshot_at = 5});
  fs.flip_byte(segment("/a", 4), wal_format::first_record + 80);
  captured shown;
  REQUIRE(offline::repair(fs, "/a", true, shown.to) == offline::all_good);
  const std::filesystem::path archive = "/a/before-repair-1";
  const auto kept = start(*fs.crashed([] { return true; }), archive).last_index;
  REQUIRE(kept > 5);
  REQUIRE(offline::recover(fs, {archive}, {.yes = true}, shown.to) == offline::all_good);
  REQUIRE(start(fs, archive).last_index == kept + 1);
}

TEST_CASE("a damaged older snapshot does not prevent a recovery") {
  memory_file_system fs;
  make_directory(fs, "/a", {.snapshot_at = 12});
  const auto damaged = std::filesystem::path{"/a/snapshots"} / snapshot_format::file_name({{3, 1}, 500, 7});
  fs.create(damaged)->write(0, std::string(500, 'x'));
  REQUIRE(recover_alone(fs) == offline::all_good);
  REQUIRE(fs.exists(damaged));
}

TEST_CASE("no crash of a recovery leaves a node that could lead its old cluster alone, and it can be run again") {
  for (const bool compacted : {false, true}) {
    memory_file_system fs;
    const auto id = make_directory(fs, "/a", {.snapshot_at = 12, .compacted = compacted});
    int points = 0;
    fs.before_each([&](const disk_operation& operation) {
      for (const bool lands : {false, true}) {
        CAPTURE(++points, lands, compacted, operation.path);
        const auto after = fs.crashed([&] { return lands; });
        const auto cluster = data_dir{*after, "/a"}.cluster();
        const auto found = start(*after, "/a");
        REQUIRE_FALSE(found.state_lost);
        REQUIRE(found.last_index >= 20);
        if (cluster == old_cluster) REQUIRE_FALSE(alone(found, id));
        REQUIRE(recover_alone(*after) == offline::all_good);
        REQUIRE(data_dir{*after, "/a"}.cluster() != old_cluster);
        const auto again = start(*after, "/a");
        REQUIRE(alone(again, id));
        REQUIRE(again.snapshot->last.index == 12);
      }
    });
    REQUIRE(recover_alone(fs) == offline::all_good);
    REQUIRE(points > 30);
  }
}
