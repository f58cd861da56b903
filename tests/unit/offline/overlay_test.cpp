#include "runtime/storage/overlay_file_system.hpp"

#include "runtime/storage/memory_file_system.hpp"
#include "tests/unit/offline/offline_node.hpp"

#include <catch2/catch.hpp>
#include <random>

using namespace troupe;
using namespace troupe::test;

TEST_CASE("an overlay behaves like a disk and does not change the underlying one") {
  for (unsigned seed = 1; seed <= 100; ++seed) {
    CAPTURE(seed);
    memory_file_system under;
    memory_file_system twin;
    for (file_system* fs : std::initializer_list<file_system*>{&under, &twin}) {
      fs->make_directory("/d");
      for (const auto* name : {"/d/a", "/d/b"}) fs->create(name)->write(0, "some bytes that were there before");
    }
    under.before_each([](const disk_operation&) { FAIL("the underlying disk was changed"); });
    overlay_file_system over{under};
    std::mt19937 random{seed};
    const auto name = [&] {
      return std::filesystem::path{"/d"} / std::string(1, static_cast<char>('a' + random() % 4));
    };
    for (int step = 0; step < 40; ++step) {
      const auto path = name();
      const auto other = name();
      const auto what = random() % 5;
      const auto offset = random() % 50;
      const bool there = twin.exists(path);
      REQUIRE(over.exists(path) == there);
      for (file_system* fs : std::initializer_list<file_system*>{&twin, &over}) {
        if (what == 0) fs->create(path);
        if (what == 1 && there) fs->open(path)->write(offset, std::to_string(step));
        if (what == 2 && there) fs->open(path)->preallocate(offset);
        if (what == 3 && there && path != other) fs->rename(path, other);
        if (what == 4 && there) fs->remove(path);
      }
      REQUIRE(over.list("/d") == twin.list("/d"));
      for (const auto& left : twin.list("/d")) {
        const auto file = std::filesystem::path{"/d"} / left;
        REQUIRE(read_file(over, file) == twin.content(file));
        char some[7] = {};
        char same[7] = {};
        REQUIRE(over.open_to_read(file)->read(offset, some) == twin.open(file)->read(offset, same));
        REQUIRE(std::string_view(some, 7) == std::string_view(same, 7));
      }
    }
    REQUIRE_THROWS_AS(over.open("/d/none"), file_error);
  }
}

TEST_CASE("a start on an overlay finds the same as on the disk, and changes nothing") {
  memory_file_system fs;
  make_directory(fs, "/data", {.snapshot_at = 12, .compacted = true});
  const auto copy = fs.crashed([] { return false; });
  fs.before_each([](const disk_operation&) { FAIL("something was changed"); });
  overlay_file_system over{fs};
  const auto seen = start(over, "/data");
  const auto real = start(*copy, "/data");
  REQUIRE(seen.last_index == real.last_index);
  REQUIRE(seen.start == real.start);
  REQUIRE(seen.snapshot == real.snapshot);
}
