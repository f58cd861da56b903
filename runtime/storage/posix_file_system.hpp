// The real disk.
#pragma once

#include "runtime/storage/file_system.hpp"

#include <memory>

namespace troupe {

class descriptor_reserve;

/// Uses pread, pwrite and fdatasync for files (never mmap: a failing disk must cause an error, not a signal), flock for
/// locks, and getrandom for randomness. Repeats calls that a signal interrupted, except a sync. Creates files with mode
/// 0600 and directories with mode 0700, whatever the umask.
class posix_file_system final : public file_system {
 public:
  /// Keeps `reserved_descriptors` file descriptors in reserve and releases them one by one when the process runs out,
  /// so that the log can open its next file. Refills the reserve when descriptors are free again.
  explicit posix_file_system(std::size_t reserved_descriptors = 0);

  std::unique_ptr<file> open(const std::filesystem::path& path) override;
  std::unique_ptr<file> open_to_read(const std::filesystem::path& path) override;
  std::unique_ptr<file> create(const std::filesystem::path& path) override;
  bool exists(const std::filesystem::path& path) override;
  std::vector<std::string> list(const std::filesystem::path& directory) override;
  void rename(const std::filesystem::path& from, const std::filesystem::path& to) override;
  void remove(const std::filesystem::path& path) override;
  void make_directory(const std::filesystem::path& path) override;
  void sync_directory(const std::filesystem::path& path) override;
  std::unique_ptr<directory> open_directory(const std::filesystem::path& path) override;
  std::unique_ptr<file_lock> lock(const std::filesystem::path& path, std::string& holder) override;
  std::unique_ptr<file_lock> lock_shared(const std::filesystem::path& path, std::string& holder) override;
  std::uint64_t draw_random() override;
  void pause(std::chrono::milliseconds time) override;

 private:
  std::shared_ptr<descriptor_reserve> reserve_;
};

/// Whether users other than the owner and the group of this directory can access it.
bool open_to_others(const std::filesystem::path& directory);

} // namespace troupe
