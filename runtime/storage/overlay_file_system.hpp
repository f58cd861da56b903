// A read-only view of a disk that keeps all writes in memory.
#pragma once

#include "runtime/storage/file_system.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace troupe {

/// Lets code that repairs what it reads, such as the opening of a log, run without changing the disk. Changes use
/// memory; a preallocation uses none. Not thread-safe.
class overlay_file_system final : public file_system {
 public:
  /// `under` must outlive the object. `on_read` is called with the number of bytes of each read from it.
  explicit overlay_file_system(file_system& under, std::function<void(std::size_t)> on_read = {})
      : under_(under), on_read_(std::move(on_read)) {}

  std::unique_ptr<file> open(const std::filesystem::path& path) override;
  std::unique_ptr<file> open_to_read(const std::filesystem::path& path) override { return open(path); }
  std::unique_ptr<file> create(const std::filesystem::path& path) override;
  bool exists(const std::filesystem::path& path) override;
  std::vector<std::string> list(const std::filesystem::path& directory) override;
  void rename(const std::filesystem::path& from, const std::filesystem::path& to) override;
  void remove(const std::filesystem::path& path) override;
  void make_directory(const std::filesystem::path&) override {}
  void sync_directory(const std::filesystem::path&) override {}
  std::unique_ptr<directory> open_directory(const std::filesystem::path&) override {
    return std::make_unique<overlay_directory>();
  }
  /// The real lock.
  std::unique_ptr<file_lock> lock(const std::filesystem::path& path, std::string& holder) override {
    return under_.lock(path, holder);
  }
  std::unique_ptr<file_lock> lock_shared(const std::filesystem::path& path, std::string& holder) override {
    return under_.lock_shared(path, holder);
  }
  std::uint64_t draw_random() override { return under_.draw_random(); }
  void pause(std::chrono::milliseconds time) override { under_.pause(time); }

 private:
  class overlay_directory final : public directory {
   public:
    void sync() override {}
  };

  friend class overlay_file;

  /// A file that was opened or created: the underlying file, and the later writes in order.
  struct node {
    std::unique_ptr<file> beneath; // null for a new file
    std::uint64_t size = 0;
    std::vector<std::pair<std::uint64_t, std::string>> written;
  };

  file_system& under_;
  std::function<void(std::size_t)> on_read_;
  std::map<std::filesystem::path, std::shared_ptr<node>> nodes_;
  std::set<std::filesystem::path> removed_; // removed names that still exist in `under_`
};

} // namespace troupe
