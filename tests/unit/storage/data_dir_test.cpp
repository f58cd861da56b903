#include "runtime/storage/data_dir.hpp"

#include "runtime/storage/memory_file_system.hpp"
#include "runtime/storage/posix_file_system.hpp"
#include "runtime/storage/wal.hpp"
#include "tests/unit/storage/storage_model.hpp"
#include "tests/unit/temporary_folder.hpp"

#include <catch2/catch.hpp>
#include <cerrno>
#include <sys/wait.h>
#include <unistd.h>

using namespace troupe;
using namespace troupe::test;

TEST_CASE("a data directory keeps the node's identity") {
  posix_file_system fs;
  const temporary_folder top;
  const auto path = top.path() / "a" / "b";
  raft::node_id id;
  std::uint64_t incarnation = 0;
  {
    data_dir fresh{fs, path};
    id = fresh.id();
    incarnation = fresh.incarnation();
    REQUIRE(id);
    REQUIRE_FALSE(fresh.cluster());
    REQUIRE_FALSE(fresh.promise());
    fresh.set_promise(std::string("to \0 someone", 12));
  }
  {
    data_dir again{fs, path};
    REQUIRE(again.id() == id);
    REQUIRE(again.incarnation() >> 32 == (incarnation >> 32) + 1);
    REQUIRE(again.promise() == std::string("to \0 someone", 12));
    again.set_promise({});
    again.set_cluster({0xabc});
    again.set_cluster({0xabc});
    REQUIRE_THROWS_WITH(again.set_cluster({0xdef}),
                        Catch::Equals("data directory " + path.string() +
                                      " belongs to cluster 0000000000000abc, not 0000000000000def"));
  }
  data_dir last{fs, path};
  REQUIRE(last.cluster() == raft::cluster_id{0xabc});
  REQUIRE(last.restored() == 0);
  REQUIRE_FALSE(last.promise());
}

TEST_CASE("syncs the names of all directories created for a data directory, top down") {
  memory_file_system fs;
  fs.make_directory("/srv");
  std::vector<std::pair<disk_operation::kind_t, std::filesystem::path>> seen;
  fs.before_each([&](const disk_operation& operation) { seen.emplace_back(operation.kind, operation.path); });
  make_durable_directory(fs, "/srv/a/b/c");
  using enum disk_operation::kind_t;
  // An earlier process may have created the name of the first existing directory and stopped before it synced it.
  CHECK(seen == decltype(seen){{sync_directory, "/"},
                               {sync_directory, "/srv"},
                               {make_directory, "/srv/a"},
                               {sync_directory, "/srv"},
                               {sync_directory, "/srv/a"},
                               {make_directory, "/srv/a/b"},
                               {sync_directory, "/srv/a"},
                               {sync_directory, "/srv/a/b"},
                               {make_directory, "/srv/a/b/c"},
                               {sync_directory, "/srv/a/b"},
                               {sync_directory, "/srv/a/b/c"}});
}

TEST_CASE("a directory is synced even if its parent cannot be synced") {
  const auto failing = [](int code, const std::filesystem::path& where) {
    memory_file_system fs;
    fs.make_directory("/srv/data");
    fs.before_each([&](const disk_operation& operation) {
      if (operation.kind == disk_operation::kind_t::sync_directory && operation.path == where)
        throw file_error("sync", operation.path, code);
    });
    make_durable_directory(fs, "/srv/data");
  };
  for (const int code : {EACCES, EPERM, EROFS, EINVAL, ENOTSUP}) {
    CAPTURE(code);
    CHECK_NOTHROW(failing(code, "/srv"));
    CHECK_THROWS_AS(failing(code, "/srv/data"), file_error);
  }
  CHECK_THROWS_AS(failing(EIO, "/srv"), file_error);
}

TEST_CASE("a data directory retries when any call fails once with a temporary error") {
  for (const int code : {EMFILE, ENFILE, ENOMEM, EAGAIN, EINTR}) {
    for (std::size_t failing = 1;; ++failing) {
      CAPTURE(code, failing);
      memory_file_system fs;
      std::size_t calls = 0;
      const auto fail_once = [&](const disk_operation& operation) {
        using enum disk_operation::kind_t;
        const bool syncs = operation.kind == sync || operation.kind == sync_directory;
        if (!syncs && ++calls == failing) throw file_error("call", operation.path, code);
      };
      fs.before_each(fail_once);
      fs.before_each_read(fail_once);
      raft::node_id id;
      {
        data_dir made{fs, "/top/data"};
        made.set_promise("to someone");
        made.set_cluster({0xabc});
        id = made.id();
      }
      const bool failed = calls >= failing;
      fs.before_each({});
      fs.before_each_read({});
      const auto durable = fs.crashed([] { return false; });
      const data_dir again{*durable, "/top/data"};
      REQUIRE(again.id() == id);
      REQUIRE(again.cluster() == raft::cluster_id{0xabc});
      REQUIRE(again.promise() == "to someone");
      if (!failed) break;
    }
  }
}

TEST_CASE("a temporary error that lasts is reported after two seconds") {
  memory_file_system fs;
  fs.before_each_read([](const disk_operation& operation) { throw file_error("open", operation.path, EMFILE); });
  try {
    data_dir made{fs, "/data"};
    FAIL("it was opened");
  } catch (const raft::storage_error& error) {
    CHECK(error.temporary());
    CHECK_THAT(error.what(), Catch::Contains("Too many open files"));
  }
  CHECK(fs.paused() >= std::chrono::seconds{2});
  CHECK(fs.paused() < std::chrono::seconds{5});
}

TEST_CASE("a data directory records its cluster's backup, in another format version") {
  identity plain;
  plain.id = {7};
  plain.cluster = {8};
  auto restored = plain;
  restored.restored = 0xb;
  const auto bytes = encode_identity(restored);
  CHECK(decode_identity(bytes, "x") == restored);
  CHECK(decode_identity(encode_identity(plain), "x") == plain);
  CHECK(encode_identity(plain)[8] == 1);
  CHECK(bytes[8] == 2);
  for (std::size_t cut = 0; cut < bytes.size(); ++cut)
    CHECK_THROWS_AS(decode_identity(std::string_view{bytes}.substr(0, cut), "x"), raft::storage_error);
  posix_file_system fs;
  const temporary_folder top;
  data_dir{fs, top / "n"}.set_cluster({8}, 0xb);
  CHECK(data_dir{fs, top / "n"}.restored() == 0xb);
}

TEST_CASE("only one process at a time can open a data directory") {
  posix_file_system fs;
  const temporary_folder top;
  int to_child[2];
  int to_parent[2];
  REQUIRE(::pipe(to_child) == 0);
  REQUIRE(::pipe(to_parent) == 0);
  const auto child = ::fork();
  REQUIRE(child >= 0);
  char byte = 0;
  if (child == 0) {
    // Holds the directory until the parent closes the pipe or dies.
    ::close(to_child[1]);
    ::close(to_parent[0]);
    const data_dir held{fs, top.path()};
    if (::write(to_parent[1], "x", 1) != 1) ::_exit(1);
    ::_exit(::read(to_child[0], &byte, 1) >= 0 ? 0 : 1);
  }
  ::close(to_parent[1]);
  REQUIRE(::read(to_parent[0], &byte, 1) == 1);
  REQUIRE_THROWS_WITH((data_dir{fs, top.path()}), Catch::Contains("in use by process " + std::to_string(child)) &&
                                                      Catch::Contains(top.path().string()));
  ::close(to_child[1]);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(status == 0);
  ::close(to_parent[0]);
  ::close(to_child[0]);
  const data_dir free{fs, top.path()};
  REQUIRE(free.incarnation() >> 32 == 2);
}

TEST_CASE("shared locks exclude an exclusive lock but not each other") {
  posix_file_system real;
  memory_file_system simulated;
  const temporary_folder top;
  simulated.make_directory(top.path());
  for (file_system* fs : std::initializer_list<file_system*>{&real, &simulated}) {
    const auto file = top / "lock";
    std::string holder;
    {
      const auto mine = fs->lock(file, holder);
      REQUIRE(mine);
      REQUIRE_FALSE(fs->lock_shared(file, holder));
      REQUIRE_FALSE(holder.empty());
    }
    const auto one = fs->lock_shared(file, holder);
    const auto other = fs->lock_shared(file, holder);
    REQUIRE(one);
    REQUIRE(other);
    holder.clear();
    REQUIRE_FALSE(fs->lock(file, holder));
    if (fs == &real) CHECK(holder.empty()); // not the previous holder
  }
  std::string holder;
  REQUIRE(real.lock(top / "lock", holder));
}

TEST_CASE("a damaged or missing identity is never replaced by a new one") {
  memory_file_system fs;
  const std::filesystem::path identity = "/data/identity";
  {
    data_dir dir{fs, "/data"};
    dir.set_promise("p");
    raft::recovered found;
    wal::open(fs, dir.log_path(), small_options(), found);
  }
  const auto size = fs.content(identity).size();
  for (std::uint64_t offset = 0; offset < size; ++offset) {
    CAPTURE(offset);
    const auto copy = fs.crashed([] { return false; });
    copy->flip_byte(identity, offset);
    try {
      const data_dir opened{*copy, "/data"};
      FAIL("it opens");
    } catch (const raft::storage_error& error) {
      const std::string text = error.what();
      REQUIRE_THAT(text, Catch::Contains(identity.string()));
      if (text.find("format version") == std::string::npos) {
        REQUIRE(error.damaged());
        REQUIRE_THAT(text, Catch::Contains("`troupe-log repair /data`"));
      }
    }
  }
  fs.remove(identity);
  REQUIRE_THROWS_WITH((data_dir{fs, "/data"}), Catch::Contains("is missing, but there is a log") &&
                                                   Catch::Contains("`troupe-log repair /data`"));
}

TEST_CASE("a crash leaves either the old or the new identity") {
  memory_file_system fs;
  std::optional<raft::node_id> returned; // an id that was returned to the caller
  std::optional<std::string> before;
  std::optional<std::string> after;
  int calls = 0;
  fs.before_each([&](const disk_operation&) {
    ++calls;
    for (std::uint64_t seed = 0; seed < 8; ++seed) {
      CAPTURE(calls, seed);
      random_source random{seed};
      const auto found = fs.crashed([&] { return seed > 0 && (seed == 1 || pick(random, 0, 1) == 0); });
      const data_dir dir{*found, "/data"};
      if (returned) REQUIRE(dir.id() == *returned);
      REQUIRE((dir.promise() == before || dir.promise() == after));
    }
  });
  data_dir dir{fs, "/data"};
  returned = dir.id();
  for (const auto* promise : {"one", "two", "three"}) {
    after = promise;
    dir.set_promise(promise);
    before = after;
  }
  REQUIRE(calls >= 12);
}

TEST_CASE("a node starts on a full disk, using the reserve file") {
  memory_file_system fs;
  std::uint64_t starts = 0;
  {
    data_dir made{fs, "/data"};
    starts = made.incarnation() >> 32;
  }
  REQUIRE(fs.exists("/data/reserve"));
  bool full = true;
  fs.before_each([&](const disk_operation& operation) {
    using enum disk_operation::kind_t;
    const bool takes_room = operation.kind == write || operation.kind == preallocate;
    if (full && takes_room && fs.exists("/data/reserve")) throw file_error("write", operation.path, ENOSPC);
    if (full && operation.kind == preallocate) throw file_error("preallocate", operation.path, ENOSPC);
  });
  {
    data_dir again{fs, "/data"};
    REQUIRE(again.incarnation() >> 32 == starts + 1);
    REQUIRE(fs.content("/data/reserve").empty()); // emptied; a later start refills it
  }
  full = false;
  {
    data_dir last{fs, "/data"};
    REQUIRE(last.incarnation() >> 32 == starts + 2);
  }
  REQUIRE(fs.exists("/data/reserve"));
  fs.remove("/data/reserve");
  fs.before_each([](const disk_operation& operation) {
    if (operation.kind == disk_operation::kind_t::write) throw file_error("write", operation.path, ENOSPC);
  });
  REQUIRE_THROWS_WITH(data_dir(fs, "/data"), Catch::Contains("No space left"));
}
