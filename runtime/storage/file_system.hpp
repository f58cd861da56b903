// The one seam between the storage code and a disk: everything that is written goes through here, so that tests and
// simulations can lose, tear and refuse it.
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

/// A call to the operating system failed. `code()` is its errno; the text names the call, the path and the reason.
class file_error : public raft::storage_error {
 public:
  file_error(std::string_view call, const std::filesystem::path& path, int code);
  int code() const noexcept { return code_; }

 private:
  int code_;
};

/// An open file. Offsets and sizes are in bytes. Used by one thread at a time; every function throws `file_error`.
class file {
 public:
  virtual ~file() = default;
  virtual std::uint64_t size() = 0;
  /// Returns how many bytes it read; fewer than asked for only at the end of the file.
  virtual std::size_t read(std::uint64_t offset, std::span<char> into) = 0;
  /// Writes all of it, or throws with any part of it written.
  virtual void write(std::uint64_t offset, std::string_view data) = 0;
  /// Grows the file to `size` zero bytes with their room on the disk taken, so that writes within it cannot run out
  /// of space.
  virtual void preallocate(std::uint64_t size) = 0;
  /// Returns when all that was written is on the disk. After a failure what was written since the last success may
  /// be lost although it can still be read, and a second sync would not tell (fdatasync on Linux).
  virtual void sync() = 0;
};

/// An open directory.
class directory {
 public:
  virtual ~directory() = default;
  /// Makes creations, renames and removals in it durable. Needs no file descriptor, as it has one.
  virtual void sync() = 0;
};

/// Held as long as the object lives.
class file_lock {
 public:
  virtual ~file_lock() = default;
};

/// Names and files. Thread-safe as the disk is: calls on different files may run in parallel. Every function throws
/// `file_error`.
class file_system {
 public:
  virtual ~file_system() = default;
  /// Opens an existing file to read and write.
  virtual std::unique_ptr<file> open(const std::filesystem::path& path) = 0;
  /// Opens an existing file to read only. It stays readable when its name is removed.
  virtual std::unique_ptr<file> open_to_read(const std::filesystem::path& path) = 0;
  /// Opens a file that is empty: a new one, or an old one with its content dropped.
  virtual std::unique_ptr<file> create(const std::filesystem::path& path) = 0;
  virtual bool exists(const std::filesystem::path& path) = 0;
  /// The names in a directory, sorted. Empty when there is no such directory.
  virtual std::vector<std::string> list(const std::filesystem::path& directory) = 0;
  /// Replaces `to` if it exists.
  virtual void rename(const std::filesystem::path& from, const std::filesystem::path& to) = 0;
  virtual void remove(const std::filesystem::path& path) = 0;
  /// Makes the directory and those above it; nothing happens when it exists.
  virtual void make_directory(const std::filesystem::path& path) = 0;
  /// Makes creations, renames and removals in this directory durable.
  virtual void sync_directory(const std::filesystem::path& path) = 0;
  virtual std::unique_ptr<directory> open_directory(const std::filesystem::path& path) = 0;
  /// Takes the lock file for this process, or returns null and says in `holder` what the file tells about the process
  /// that has it.
  virtual std::unique_ptr<file_lock> lock(const std::filesystem::path& path, std::string& holder) = 0;
  /// The same, but shared with all others who only look: nobody can `lock` it meanwhile. Makes the file if it is
  /// missing; one that is there need not be writable.
  virtual std::unique_ptr<file_lock> lock_to_look(const std::filesystem::path& path, std::string& holder) = 0;
  /// 64 random bits.
  virtual std::uint64_t draw_random() = 0;
  /// Blocks for so long: between two attempts at what failed for a temporary reason.
  virtual void pause(std::chrono::milliseconds time) = 0;
};

/// Calls `attempt`, and again after a temporary error, for two seconds at most. For a thread that may block, and for
/// what may be done any number of times.
template <class F> auto patiently(file_system& fs, F attempt) {
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

/// Replaces a small file so that a crash leaves the old content or the new one: temporary file, sync, rename,
/// directory sync.
void replace_file(file_system& fs, const std::filesystem::path& path, std::string_view content);

/// The whole content of a small file.
std::string read_file(file_system& fs, const std::filesystem::path& path);

/// Makes a directory, with all that are missing above it, and returns when their names are durable.
void make_durable_directory(file_system& fs, const std::filesystem::path& path);

} // namespace troupe
