// The interface between the storage code and a disk. All writes go through it, so that tests and simulations can lose,
// tear or fail them.
#pragma once

#include "raft/storage.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// A system call failed. `code()` is its errno; the text names the call, the path and the reason.
class file_error : public raft::storage_error {
 public:
  file_error(std::string_view call, const std::filesystem::path& path, int code);
  int code() const noexcept { return code_; }

 private:
  int code_;
};

/// An open file. Offsets and sizes are in bytes. Not thread-safe; every function throws `file_error`.
class file {
 public:
  virtual ~file() = default;
  virtual std::uint64_t size() = 0;
  /// Returns the number of bytes read. It is less than requested only at the end of the file.
  virtual std::size_t read(std::uint64_t offset, std::span<char> into) = 0;
  /// Writes all of `data`. If it throws, any part of `data` may have been written.
  virtual void write(std::uint64_t offset, std::string_view data) = 0;
  /// Grows the file with zeros to `size` bytes and allocates them on disk, so that writes within them cannot run out of
  /// space.
  virtual void preallocate(std::uint64_t size) = 0;
  /// Returns when all written data is on disk. After a failure, data written since the last successful sync may be lost
  /// although it can still be read, and a second sync would not report that (fdatasync on Linux).
  virtual void sync() = 0;
};

/// An open directory.
class directory {
 public:
  virtual ~directory() = default;
  /// Makes creations, renames and removals in it durable. Needs no new file descriptor, because it holds one.
  virtual void sync() = 0;
};

/// Held for the lifetime of the object.
class file_lock {
 public:
  virtual ~file_lock() = default;
};

/// File names and files. As thread-safe as the disk: calls on different files may run in parallel. Every function
/// throws `file_error`.
class file_system {
 public:
  virtual ~file_system() = default;
  /// Opens an existing file for reading and writing.
  virtual std::unique_ptr<file> open(const std::filesystem::path& path) = 0;
  /// Opens an existing file for reading. It remains readable after its name is removed.
  virtual std::unique_ptr<file> open_to_read(const std::filesystem::path& path) = 0;
  /// Creates a file, or truncates an existing one to empty, and opens it.
  virtual std::unique_ptr<file> create(const std::filesystem::path& path) = 0;
  virtual bool exists(const std::filesystem::path& path) = 0;
  /// The names in a directory, sorted. Empty if the directory does not exist.
  virtual std::vector<std::string> list(const std::filesystem::path& directory) = 0;
  /// Replaces `to` if it exists.
  virtual void rename(const std::filesystem::path& from, const std::filesystem::path& to) = 0;
  virtual void remove(const std::filesystem::path& path) = 0;
  /// Creates the directory and its missing parents. Does nothing if it exists.
  virtual void make_directory(const std::filesystem::path& path) = 0;
  /// Makes creations, renames and removals in this directory durable.
  virtual void sync_directory(const std::filesystem::path& path) = 0;
  virtual std::unique_ptr<directory> open_directory(const std::filesystem::path& path) = 0;
  /// Locks the file for this process. If another process has the lock, returns null and sets `holder` to what the file
  /// says about that process.
  virtual std::unique_ptr<file_lock> lock(const std::filesystem::path& path, std::string& holder) = 0;
  /// Takes a shared lock, for read-only use: while it is held, `lock` fails. Creates the file if it is missing; an
  /// existing one need not be writable.
  virtual std::unique_ptr<file_lock> lock_shared(const std::filesystem::path& path, std::string& holder) = 0;
  /// 64 random bits.
  virtual std::uint64_t draw_random() = 0;
  /// Blocks for `time`, between two attempts at an operation that failed with a temporary error.
  virtual void pause(std::chrono::milliseconds time) = 0;
};

/// Calls `attempt` and repeats it after a temporary error, for at most two seconds. For threads that may block and for
/// operations that may be repeated.
template <class F> auto retry_temporary(file_system& fs, F attempt) {
  for (std::chrono::milliseconds waited{0}, next{10}; waited < std::chrono::seconds{2}; waited += next, next *= 2) {
    try {
      return attempt();
    } catch (const raft::storage_error& error) {
      if (!error.temporary()) throw;
    }
    fs.pause(next);
  }
  return attempt();
}

/// Replaces a small file atomically: a crash leaves either the old or the new content. Writes a temporary file, syncs
/// it, renames it and syncs the directory.
void replace_file(file_system& fs, const std::filesystem::path& path, std::string_view content);

/// The whole content of a small file.
std::string read_file(file_system& fs, const std::filesystem::path& path);

/// Creates a directory and its missing parents, and returns when their names are durable.
void make_durable_directory(file_system& fs, const std::filesystem::path& path);

} // namespace troupe
