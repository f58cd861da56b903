// Temporary errors of the operating system: their classification, and how log and snapshots handle them.
#include "raft/base/codec.hpp"
#include "runtime/os/os_error.hpp"
#include "runtime/storage/posix_file_system.hpp"
#include "tests/unit/storage/node_history.hpp"
#include "tests/unit/storage/snapshot_model.hpp"
#include "tests/unit/temporary_folder.hpp"

#include <catch2/catch.hpp>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <iostream>

using namespace troupe;
using namespace troupe::test;
using kind_t = disk_operation::kind_t;

namespace {

bool is_sync(const disk_operation& operation) {
  return operation.kind == kind_t::sync || operation.kind == kind_t::sync_directory;
}

/// Repeats `what` as long as it fails with a temporary error.
template <class F> auto retry(F what) {
  while (true) {
    try {
      return what();
    } catch (const raft::storage_error& error) {
      REQUIRE(error.temporary());
    }
  }
}

/// Writes to several segments, takes snapshots, compacts, reads and restarts. Retries every step that fails with a
/// temporary error.
void run_node(memory_file_system& fs, log_model& model) {
  auto node = retry([&] { return std::make_unique<opened_node>(fs); });
  const auto write = [&](raft::index_t count) {
    for (; count > 0; --count) {
      const auto next = model.last_index() + 1;
      auto change = make_append(next, next, 1, 500);
      change.hard = raft::hard_state{1, {next % 3}};
      node->log->apply(change);
      model.apply(change);
      retry([&] { node->log->sync(); });
      retry([&] { return node->log->has_room(); });
    }
  };
  const auto snapshot_at = [&](raft::index_t index) {
    const std::vector<raft::entry> prefix(model.entries.begin(),
                                          model.entries.begin() + static_cast<std::ptrdiff_t>(index));
    std::string bytes;
    raft::writer{bytes}.put(state_after(prefix));
    const raft::snapshot_point at{{index, 1}, 0, {}};
    retry([&] { return write_snapshot(*node->snapshots, at, {{"chain", bytes}}); });
  };
  write(20);
  snapshot_at(10);
  write(5);
  snapshot_at(22);
  retry([&] { return node->snapshots->prune(2); });
  retry([&] { node->log->compact(10); });
  write(3);
  REQUIRE(retry([&] { return node->log->read(20, 28, SIZE_MAX); }) == model.read(20, 28, SIZE_MAX));
  node.reset();
  node = retry([&] { return std::make_unique<opened_node>(fs); });
  REQUIRE(node->found.snapshot->last.index == 22);
  REQUIRE(node->state == state_after(model.entries));
  write(8);
}

/// Leaves the process without free file descriptors while it exists.
class no_descriptors {
 public:
  no_descriptors() {
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &usual_) == 0);
    auto lower = usual_;
    lower.rlim_cur = 100;
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &lower) == 0);
    for (int fd = ::dup(0); fd >= 0; fd = ::dup(0)) taken_.push_back(fd);
  }
  no_descriptors(const no_descriptors&) = delete;
  no_descriptors& operator=(const no_descriptors&) = delete;
  ~no_descriptors() {
    for (const auto fd : taken_) ::close(fd);
    ::setrlimit(RLIMIT_NOFILE, &usual_);
  }

 private:
  rlimit usual_{};
  std::vector<int> taken_;
};

} // namespace

TEST_CASE("classifies errors: temporary, no space, or failed; a sync always fails") {
  for (const int code : {EINTR, EAGAIN, EMFILE, ENFILE, ENOMEM, ENOBUFS}) {
    CAPTURE(code);
    CHECK(classify(code) == os_error::temporary);
    CHECK(file_error("open", "x", code).temporary());
    CHECK_FALSE(file_error("open", "x", code).no_space());
    CHECK_FALSE(file_error("sync", "x", code).temporary());
  }
  for (const int code : {ENOSPC, EDQUOT}) {
    CHECK(classify(code) == os_error::no_room);
    CHECK(file_error("write", "x", code).no_space());
    CHECK_FALSE(file_error("write", "x", code).temporary());
    CHECK_FALSE(file_error("sync", "x", code).no_space());
  }
  for (const int code : {EIO, EROFS, EACCES, EPERM, ENOENT, EBADF}) {
    CHECK(classify(code) == os_error::failed);
    CHECK_FALSE(file_error("write", "x", code).temporary());
    CHECK_FALSE(file_error("write", "x", code).no_space());
  }
}

TEST_CASE("if any disk call fails once with a temporary error, a retry succeeds and nothing is lost") {
  std::uint64_t failures = 0;
  for (const int code : {EMFILE, ENFILE, ENOMEM, EAGAIN, EINTR}) {
    for (std::uint64_t failing = 1;; ++failing) {
      CAPTURE(code, failing);
      memory_file_system fs{3};
      std::uint64_t calls = 0;
      const auto fail_once = [&](const disk_operation& operation) {
        if (is_sync(operation) || ++calls != failing) return;
        ++failures;
        throw file_error("call", operation.path, code);
      };
      fs.before_each(fail_once);
      fs.before_each_read(fail_once);
      log_model model;
      run_node(fs, model);
      fs.before_each({});
      fs.before_each_read({});
      const auto durable = fs.crashed([] { return false; });
      opened_node found{*durable};
      REQUIRE_FALSE(found.found.state_lost);
      REQUIRE(found.read() == model.behind(found.found.start.index));
      REQUIRE(found.state == state_after(model.entries));
      if (calls < failing) break;
    }
  }
  std::cout << "calls that failed with a temporary error: " << failures << ", violations: 0\n";
  REQUIRE(failures > 700);
}

TEST_CASE("a batch that could not be written grows, and is still written as a whole or not at all") {
  memory_file_system fs;
  raft::recovered found;
  const auto log = wal::open(fs, "/log", small_options(), found);
  log_model model;
  bool fails = true;
  fs.before_each([&](const disk_operation& operation) {
    if (fails && operation.kind == kind_t::write) throw file_error("write", operation.path, ENOMEM);
  });
  for (raft::index_t index = 1; index <= 3; ++index) {
    const auto change = make_append(index, index, 1, 300);
    log->apply(change);
    model.apply(change);
    REQUIRE_THROWS_AS(log->sync(), raft::storage_error);
    REQUIRE(log->read(1, index, SIZE_MAX) == model.entries);
    REQUIRE(open_and_read(*fs.crashed([] { return true; }), small_options()).entries.empty());
  }
  fails = false;
  log->sync();
  REQUIRE(open_and_read(*fs.crashed([] { return false; }), small_options()) == model);
}

TEST_CASE("without a free descriptor the log continues in its next file, and then waits for one") {
  memory_file_system fs;
  raft::recovered found;
  const auto log = wal::open(fs, "/log", small_options(), found);
  log_model model;
  const auto append = [&] {
    const auto change = make_append(model.last_index() + 1, model.last_index() + 1, 1, 500);
    log->apply(change);
    model.apply(change);
    log->sync();
    REQUIRE(log->has_room()); // the disk is not full
  };
  append();
  bool exhausted = true;
  const auto refuse = [&](const disk_operation& operation) {
    const bool opens =
        operation.kind == kind_t::open || operation.kind == kind_t::open_directory || operation.kind == kind_t::create;
    if (exhausted && opens) throw file_error("open", operation.path, EMFILE);
  };
  fs.before_each(refuse);
  fs.before_each_read(refuse);
  for (int i = 1; i < 12; ++i) append(); // to the end of the second file
  try {
    append();
    FAIL("there was a third file");
  } catch (const raft::storage_error& error) {
    REQUIRE(error.temporary());
  }
  REQUIRE_THROWS_AS(log->sync(), raft::storage_error);
  exhausted = false;
  log->sync();
  append();
  REQUIRE(open_and_read(*fs.crashed([] { return false; }), small_options()) == model);
}

TEST_CASE("a temporary error does not make a node load an older snapshot") {
  memory_file_system fs;
  log_model model;
  run_node(fs, model);
  fs.before_each_read([](const disk_operation& operation) {
    if (operation.kind == kind_t::open && operation.path.extension() == ".snapshot")
      throw file_error("open", operation.path, EMFILE);
  });
  try {
    opened_node node{fs};
    FAIL("it was opened, from snapshot " << (node.found.snapshot ? node.found.snapshot->last.index : 0));
  } catch (const raft::storage_error& error) {
    CHECK(error.temporary());
  }
}

TEST_CASE("the reserve provides descriptors when the process has none, and is refilled") {
  const temporary_folder top;
  posix_file_system reserved{4};
  posix_file_system plain;
  plain.create(top / "there");
  {
    const no_descriptors none;
    try {
      plain.open(top / "there");
      FAIL("there was a descriptor");
    } catch (const file_error& error) {
      CHECK(error.temporary());
    }
    for (int i = 0; i < 3; ++i) { // closed descriptors refill the reserve
      std::vector<std::unique_ptr<file>> open;
      for (int j = 0; j < 4; ++j) open.push_back(reserved.open(top / "there"));
      CHECK_THROWS_AS(reserved.open(top / "there"), file_error);
    }
    CHECK(reserved.list(top.path()).size() == 1);
    CHECK_THROWS_AS(plain.list(top.path()), file_error);
  }
  CHECK_NOTHROW(plain.open(top / "there"));
}
