// The real disk.
#pragma once

#include "runtime/storage/file_system.hpp"

namespace troupe {

/// Files by pread, pwrite and fdatasync (never mmap: a failing disk must be an error, not a signal), locks by flock,
/// randomness by getrandom.
class posix_file_system final : public file_system {
 public:
  std::unique_ptr<file> open(const std::filesystem::path& path) override;
  std::unique_ptr<file> open_to_read(const std::filesystem::path& path) override;
  std::unique_ptr<file> create(const std::filesystem::path& path) override;
  bool exists(const std::filesystem::path& path) override;
  std::vector<std::string> list(const std::filesystem::path& directory) override;
  void rename(const std::filesystem::path& from, const std::filesystem::path& to) override;
  void remove(const std::filesystem::path& path) override;
  void make_directory(const std::filesystem::path& path) override;
  void sync_directory(const std::filesystem::path& path) override;
  std::unique_ptr<file_lock> lock(const std::filesystem::path& path, std::string& holder) override;
  std::unique_ptr<file_lock> lock_to_look(const std::filesystem::path& path, std::string& holder) override;
  std::uint64_t draw_random() override;
};

} // namespace troupe
