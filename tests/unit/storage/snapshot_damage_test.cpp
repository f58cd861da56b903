// Damage anywhere in a snapshot file is detected; crashes and full disks leave a whole snapshot or none.
#include "raft/base/codec.hpp"
#include "runtime/storage/damage.hpp"
#include "runtime/storage/memory_file_system.hpp"
#include "runtime/storage/snapshot_dir.hpp"
#include "runtime/storage/snapshot_format.hpp"
#include "runtime/storage/snapshot_reader.hpp"
#include "tests/unit/storage/snapshot_model.hpp"
#include "tests/unit/storage/storage_model.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cerrno>

using namespace troupe;
using namespace troupe::test;
using kind_t = disk_operation::kind_t;

namespace {

constexpr raft::cluster_id cluster{0xc1};
constexpr std::size_t block = snapshot_format::max_body;

/// A disk with one snapshot on it.
struct one_snapshot {
  memory_file_system fs;
  raft::snapshot_id id;
  std::filesystem::path path;

  explicit one_snapshot(const services_state& state) {
    snapshot_dir files{fs, "/snapshots", cluster};
    id = write_snapshot(files, make_point(9, 2), state);
    path = std::filesystem::path{"/snapshots"} / snapshot_format::file_name(id);
  }
  /// Replaces the content of the file.
  void replace(std::string_view bytes) {
    const auto out = fs.create(path);
    out->write(0, bytes);
  }
};

std::string failure_of_loading(file_system& fs, const raft::snapshot_id& id) {
  snapshot_dir files{fs, "/snapshots", cluster};
  try {
    load_snapshot(files, id);
  } catch (const raft::storage_error& error) {
    return error.what();
  }
  return "none";
}

/// Replaces the section record whose body is at `at` with another of the same length and with a matching checksum.
std::string with_section(std::string bytes, std::size_t at, const std::string& body) {
  std::size_t header_size = 0;
  std::uint32_t version = 0;
  REQUIRE(snapshot_format::decode_prefix(bytes.substr(0, snapshot_format::prefix_size), header_size, version) ==
          snapshot_format::header_state::valid);
  const auto seed = snapshot_format::seed_of(bytes.substr(0, header_size));
  const auto record = at - snapshot_format::record_header_size;
  const auto head = snapshot_format::encode_record_header(snapshot_format::record_type::section, body, seed, record);
  return bytes.replace(record, head.size() + body.size(), head + body);
}

const services_state small_state{{"map", "some bytes of a map"}, {"queue", "some of a queue"}};

} // namespace

TEST_CASE("detects any flipped byte of a snapshot and reports file and offset") {
  one_snapshot origin{small_state};
  for (std::uint64_t offset = 0; offset < origin.id.size; ++offset) {
    CAPTURE(offset);
    const auto fs = origin.fs.crashed([] { return false; });
    fs->flip_byte(origin.path, offset);
    const auto text = failure_of_loading(*fs, origin.id);
    REQUIRE_THAT(text, Catch::Contains(origin.path.string()));
    if (text.find("format version") == std::string::npos) {
      REQUIRE_THAT(text,
                   Catch::Contains(offset < snapshot_format::magic.size() ? "not a snapshot" : "damaged snapshot"));
      REQUIRE(std::stoull(text.substr(text.find("offset ") + 7)) <= offset);
    }
  }
}

TEST_CASE("detects a truncated or extended snapshot") {
  one_snapshot disk{small_state};
  const auto good = disk.fs.content(disk.path);
  for (std::size_t size = 0; size < good.size(); ++size) {
    CAPTURE(size);
    disk.replace(good.substr(0, size));
    REQUIRE_THAT(failure_of_loading(disk.fs, disk.id),
                 Catch::Contains("damaged snapshot: incomplete") &&
                     Catch::Contains("ends after " + std::to_string(size) + " bytes"));
    REQUIRE_THROWS_AS(snapshot_reader(disk.fs, disk.path).announced_id(), damage_error);
  }
  disk.replace(good + '\0');
  REQUIRE_THAT(failure_of_loading(disk.fs, disk.id), Catch::Contains("after the end"));
  disk.replace(good);
  REQUIRE(failure_of_loading(disk.fs, disk.id) == "none");
  REQUIRE(snapshot_reader(disk.fs, disk.path).announced_id() == disk.id);
}

TEST_CASE("errors about a backup say so, and a file that is not one is recognized") {
  one_snapshot disk{small_state};
  const auto good = disk.fs.content(disk.path);
  const auto verify = [&] { verify_snapshot(disk.fs, disk.path, file_role::backup); };
  disk.replace("root:x:0:0");
  CHECK_THROWS_WITH(verify(), Catch::Contains("not a backup (it does not begin with `troupSNP`)"));
  disk.replace(good.substr(0, good.size() / 2));
  CHECK_THROWS_WITH(verify(), Catch::Contains("damaged backup: incomplete") && Catch::Contains("fetch it again"));
  disk.replace(good);
  disk.fs.flip_byte(disk.path, good.size() - 1);
  CHECK_THROWS_WITH(verify(), Catch::Contains("damaged backup"));
  CHECK_THROWS_WITH(snapshot_reader(disk.fs, disk.path, file_role::backup).announced_id(),
                    Catch::Contains("damaged backup"));
}

TEST_CASE("detects blocks that were swapped within a file or between files") {
  const auto twice = some_bytes(block, 1) + some_bytes(block, 2) + some_bytes(100, 3);
  one_snapshot disk{{{"map", twice}}};
  one_snapshot other{{{"map", some_bytes(block, 7) + twice.substr(block)}}};
  const auto good = disk.fs.content(disk.path);
  const auto stored = snapshot_format::record_header_size + block;
  const auto first = good.find(twice.substr(0, 50)) - snapshot_format::record_header_size;
  auto swapped = good;
  swapped.replace(first, stored, good, first + stored, stored);
  swapped.replace(first + stored, stored, good, first, stored);
  disk.replace(swapped);
  REQUIRE_THAT(failure_of_loading(disk.fs, disk.id), Catch::Contains("offset " + std::to_string(first)));
  // Same header, same offset, another file's block: only the checksum of the whole file detects this.
  auto mixed = good;
  mixed.replace(first, stored, other.fs.content(other.path), first, stored);
  disk.replace(mixed);
  REQUIRE_THAT(failure_of_loading(disk.fs, disk.id), Catch::Contains("the totals at the end do not match"));
  // A missing block.
  disk.replace(good.substr(0, first) + good.substr(first + stored));
  REQUIRE_THAT(failure_of_loading(disk.fs, disk.id), Catch::Contains("offset " + std::to_string(first)));
}

TEST_CASE("a wrong length does not allocate memory") {
  one_snapshot disk{small_state};
  auto bytes = disk.fs.content(disk.path);
  const auto first = bytes.find("map") - 1 - snapshot_format::record_header_size;
  bytes.replace(first + 8, 4, "\xff\xff\xff\x7f");
  disk.replace(bytes);
  REQUIRE_THAT(failure_of_loading(disk.fs, disk.id), Catch::Contains("bad record"));
  bytes.replace(12, 4, "\xff\xff\xff\x7f");
  disk.replace(bytes);
  REQUIRE_THAT(failure_of_loading(disk.fs, disk.id), Catch::Contains("bad header"));
}

TEST_CASE("rejects a later version and says so") {
  one_snapshot disk{small_state};
  auto bytes = disk.fs.content(disk.path);
  bytes[8] = 2;
  disk.replace(bytes);
  REQUIRE_THAT(failure_of_loading(disk.fs, disk.id),
               Catch::Contains("version 2") && Catch::Contains("supports version 1"));
}

TEST_CASE("rejects a section of an unknown kind and says so") {
  one_snapshot disk{small_state};
  const auto bytes = disk.fs.content(disk.path);
  disk.replace(with_section(bytes, bytes.find("map") - 1, "\2map"));
  REQUIRE_THAT(failure_of_loading(disk.fs, disk.id), Catch::Contains("kind 2"));
}

TEST_CASE("rejects two sections of one service") {
  one_snapshot disk{{{"map", "some bytes"}, {"mop", "others"}}};
  const auto bytes = disk.fs.content(disk.path);
  disk.replace(with_section(bytes, bytes.find("mop") - 1, "\1map"));
  REQUIRE_THAT(failure_of_loading(disk.fs, disk.id), Catch::Contains("duplicate section of a service"));
}

TEST_CASE("rejects sections that no node writes before they use memory") {
  memory_file_system fs;
  snapshot_dir files{fs, "/snapshots", cluster};
  const auto refusal_of = [&](const services_state& state) {
    const auto id = write_snapshot(files, make_point(9, 2), state);
    return failure_of_loading(fs, id);
  };
  CHECK_THAT(refusal_of({{std::string(256, 'x'), "state"}}), Catch::Contains("invalid service name"));
  CHECK_THAT(refusal_of({{"", "state"}}), Catch::Contains("invalid service name"));
  CHECK(refusal_of({{std::string(255, 'x'), "state"}}) == "none");
  services_state many;
  for (int i = 0; i < 4096; ++i) many.push_back({"service" + std::to_string(i), ""});
  CHECK(refusal_of(many) == "none");
  many.push_back({"one more", ""});
  CHECK_THAT(refusal_of(many), Catch::Contains("more sections than"));
}

TEST_CASE("a crash leaves a whole snapshot or none, and always the previous one") {
  for (const bool received : {false, true}) {
    CAPTURE(received);
    memory_file_system fs;
    memory_file_system elsewhere;
    snapshot_dir files{fs, "/snapshots", cluster};
    snapshot_dir others{elsewhere, "/snapshots", cluster};
    const services_state state{{"map", some_bytes(5000, 1)}};
    const auto before = write_snapshot(files, make_point(5, 1), small_state);
    const auto id = write_snapshot(others, make_point(9, 2), state);
    bool finished = false;
    int calls = 0;
    const auto check = [&] {
      for (std::uint64_t seed = 0; seed < 10; ++seed) {
        CAPTURE(++calls, seed);
        random_source random{seed};
        const auto after = fs.crashed([&] { return seed > 0 && (seed == 1 || pick(random, 0, 2) > 0); });
        snapshot_dir found{*after, "/snapshots", cluster};
        const auto left = found.prune(5);
        REQUIRE(left.size() == after->list("/snapshots").size());
        REQUIRE(load_snapshot(found, before) == small_state);
        if (finished) REQUIRE(left.size() == 2);
        if (left.size() == 2) REQUIRE(load_snapshot(found, id) == state);
      }
    };
    fs.before_each([&](const disk_operation&) { check(); });
    if (received)
      send_snapshot(others, files, id, 700);
    else
      REQUIRE(write_snapshot(files, make_point(9, 2), state) == id);
    finished = true;
    check();
    REQUIRE(calls >= 60);
  }
}

TEST_CASE("if the disk fails or fills up during a snapshot, older ones remain and the space is freed") {
  memory_file_system elsewhere;
  snapshot_dir others{elsewhere, "/snapshots", cluster};
  const services_state state{{"map", some_bytes(2 * block, 1)}, {"queue", "x"}};
  const auto id = write_snapshot(others, make_point(9, 2), state);
  for (const int code : {ENOSPC, EIO})
    for (const bool received : {false, true})
      for (int failing = 1;; ++failing) {
        CAPTURE(code, received, failing);
        memory_file_system fs;
        snapshot_dir files{fs, "/snapshots", cluster};
        const auto before = write_snapshot(files, make_point(5, 1), small_state);
        int calls = 0;
        std::filesystem::path failed_at;
        fs.before_each([&](const disk_operation& operation) {
          if (++calls != failing) return;
          failed_at = operation.path;
          throw file_error("call", operation.path, code);
        });
        try {
          if (received)
            send_snapshot(others, files, id, block);
          else
            write_snapshot(files, make_point(9, 2), state);
          REQUIRE(calls < failing);
          break;
        } catch (const raft::storage_error& error) {
          REQUIRE(error.no_space() == (code == ENOSPC));
          REQUIRE_THAT(error.what(), Catch::Contains(failed_at.string()));
        }
        REQUIRE(files.list() == std::vector{before});
        REQUIRE(fs.list("/snapshots").size() == 1);
        REQUIRE(load_snapshot(files, before) == small_state);
        fs.before_each({});
        REQUIRE(write_snapshot(files, make_point(9, 2), state) == id);
      }
}
