// Only a node's user may read what the node writes, whatever the umask.
#include "runtime/storage/data_dir.hpp"
#include "runtime/storage/posix_file_system.hpp"
#include "runtime/storage/snapshot_dir.hpp"
#include "runtime/storage/wal.hpp"
#include "tests/unit/temporary_folder.hpp"

#include <catch2/catch.hpp>

#include <sys/stat.h>

using namespace troupe;
using namespace troupe::test;
using std::filesystem::perms;

namespace {

/// Clears the umask while it exists, so that new files would be open to all users.
class open_umask {
 public:
  open_umask() : before_(::umask(0)) {}
  open_umask(const open_umask&) = delete;
  ~open_umask() { ::umask(before_); }

 private:
  mode_t before_;
};

perms mode_of(const std::filesystem::path& of) { return std::filesystem::status(of).permissions(); }

} // namespace

TEST_CASE("only a node's user may access its files and directories", "[modes]") {
  const open_umask umask;
  const temporary_folder folder;
  posix_file_system fs;
  const auto path = folder / "above" / "node";
  const data_dir directory{fs, path};
  raft::recovered found;
  const auto log = wal::open(fs, directory.log_path(), {}, found);
  snapshot_dir snapshots{fs, directory.snapshots_path(), raft::cluster_id{1}};
  raft::snapshot_point at;
  at.last = {1, 1};
  snapshots.create(at)->finish();

  CHECK(mode_of(folder / "above") == perms::owner_all);
  CHECK(mode_of(path) == perms::owner_all);
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path)) {
    CAPTURE(entry.path());
    const auto expected = entry.is_directory() ? perms::owner_all : perms::owner_read | perms::owner_write;
    CHECK(mode_of(entry.path()) == expected);
    if (entry.is_regular_file()) ++files;
  }
  CHECK(files >= 5); // lock, identity, reserve, a segment, a snapshot
  CHECK_FALSE(open_to_others(path));
}

TEST_CASE("an existing directory keeps its mode, and new files in it are private", "[modes]") {
  const open_umask umask;
  const temporary_folder folder;
  posix_file_system fs;
  const auto path = folder / "node";
  std::filesystem::create_directory(path);
  std::filesystem::permissions(path, perms::owner_all | perms::group_all);
  const data_dir directory{fs, path};
  CHECK(mode_of(path) == (perms::owner_all | perms::group_all));
  CHECK(mode_of(path / "identity") == (perms::owner_read | perms::owner_write));
  CHECK_FALSE(open_to_others(path)); // the group may have access on purpose
  std::filesystem::permissions(path, perms::others_exec, std::filesystem::perm_options::add);
  CHECK(open_to_others(path));
}

TEST_CASE("a file that was open to others becomes private when it is created again", "[modes]") {
  const temporary_folder folder;
  posix_file_system fs;
  const auto path = folder / "file";
  fs.create(path);
  std::filesystem::permissions(path, perms::group_read | perms::others_read, std::filesystem::perm_options::add);
  fs.create(path);
  CHECK(mode_of(path) == (perms::owner_read | perms::owner_write));
}

TEST_CASE("creates a directory together with its missing parents", "[modes]") {
  const temporary_folder folder;
  posix_file_system fs;
  fs.make_directory(folder / "a" / "b" / "c" / "");
  CHECK(std::filesystem::is_directory(folder / "a" / "b" / "c"));
  fs.make_directory(folder / "a" / "b");
  fs.create(folder / "file");
  CHECK_THROWS_AS(fs.make_directory(folder / "file"), file_error);
  CHECK_THROWS_AS(fs.make_directory(folder / "file" / "below"), file_error);
}
