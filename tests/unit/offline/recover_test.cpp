#include "runtime/offline/recover.hpp"

#include "runtime/offline/directory.hpp"
#include "runtime/offline/inspect.hpp"
#include "runtime/storage/data_dir.hpp"
#include "tests/unit/offline/offline_node.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::test;
using Catch::Contains;

namespace {

int recover_alone(file_system& fs, const std::string& address = {}) {
  captured shown;
  return offline::recover(fs, {"/a"}, address, true, shown.to);
}

/// Whether the last configuration is this node alone.
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
    REQUIRE(offline::recover(fs, {"/a", "/b", "/c"}, "", false, shown.to) == offline::all_good);
    REQUIRE_THAT(shown.err.str(),
                 Contains("/b") && Contains("entry 25 of term 4") && Contains("LOST") && Contains("cannot be undone"));
    raft::cluster_id cluster;
    {
      const data_dir directory{fs, "/a"};
      REQUIRE(directory.id() == id);
      cluster = directory.cluster();
    }
    REQUIRE(cluster);
    REQUIRE(cluster != old_cluster);
    REQUIRE_THAT(shown.out.str(), Contains(to_string(cluster)) && Contains("here:1"));
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
    // The others are as they were.
    REQUIRE(start(fs, "/b").last_index == 25);
  }
}

TEST_CASE("another survivor that has more is to be taken instead") {
  memory_file_system fs;
  make_directory(fs, "/a", {.entries = 20, .last_term = 4});
  make_directory(fs, "/b", {.entries = 19, .last_term = 5});
  fs.before_each([](const disk_operation&) { FAIL("something was changed"); });
  captured shown;
  REQUIRE_THROWS_WITH(offline::recover(fs, {"/a", "/b"}, "", true, shown.to),
                      Contains("/b has more (entry 19 of term 5)") && Contains("name it first"));
  REQUIRE(offline::recover(fs, {"/b", "/a"}, "", false, shown.to) == offline::bad_usage); // the answer is no
  REQUIRE(shown.asked == 1);
}

TEST_CASE("a survivor without its state, of another cluster, of none, or in use is refused") {
  memory_file_system fs;
  make_directory(fs, "/a", {.snapshot_at = 12, .compacted = true});
  captured shown;
  SECTION("state lost") {
    fs.remove(std::filesystem::path{"/a/snapshots"} / fs.list("/a/snapshots")[0]);
    REQUIRE_THROWS_WITH(recover_alone(fs), Contains("no snapshot"));
  }
  SECTION("other clusters") {
    make_directory(fs, "/b", {});
    REQUIRE(offline::recover(fs, {"/b"}, "", true, shown.to) == offline::all_good);
    REQUIRE_THROWS_WITH(offline::recover(fs, {"/a", "/b"}, "", true, shown.to), Contains("belongs to cluster"));
    data_dir{fs, "/fresh"};
    REQUIRE_THROWS_WITH(offline::recover(fs, {"/a", "/fresh"}, "", true, shown.to), Contains("no cluster"));
  }
  SECTION("in use") {
    const data_dir held{fs, "/a"};
    REQUIRE_THROWS_WITH(recover_alone(fs), Contains("in use"));
  }
}

TEST_CASE("the node may have moved") {
  memory_file_system fs;
  make_directory(fs, "/a", {});
  REQUIRE(recover_alone(fs, "there:2") == offline::all_good);
  const auto found = start(fs, "/a");
  REQUIRE(raft::decode_configuration(found.configurations.back().data.view())->voters[0].address == "there:2");
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
