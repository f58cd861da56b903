// A disk in memory that can lose power: the test decides whether unsynced data is lost, kept or torn, and can watch or
// fail every call.
#pragma once

#include "runtime/storage/file_system.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace troupe {

/// A call that changes something, as passed to `before_each`, or that only reads, as passed to `before_each_read`.
struct disk_operation {
  enum class kind_t {
    create,
    write,
    preallocate,
    sync,
    rename,
    remove,
    make_directory,
    sync_directory,
    // These only read.
    open,
    size,
    read,
    exists,
    list,
    open_directory
  };
  kind_t kind = kind_t::write;
  std::filesystem::path path;
  std::uint64_t offset = 0; ///< of a write
  std::uint64_t size = 0;   ///< of a write or a preallocation
};

/// A crash keeps everything that was synced. Of each later write it keeps an arbitrary set of 512-byte sectors, and of
/// the later name changes a prefix. Directories are durable at once; a crash releases all locks. Not thread-safe.
class memory_file_system final : public file_system {
 public:
  static constexpr std::uint64_t sector = 512;

  /// `seed` determines the values of `draw_random`.
  explicit memory_file_system(std::uint64_t seed = 1) : random_(seed) {}

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
  /// Does not block; `paused` returns the total time requested.
  void pause(std::chrono::milliseconds time) override { paused_ += time; }
  std::chrono::milliseconds paused() const noexcept { return paused_; }

  /// Called before every change. If it throws (a `file_error`, to simulate a failing disk), the change does not happen.
  /// Moreover, after a failed sync the unsynced data counts as clean although it is not on disk, as on Linux.
  void before_each(std::function<void(const disk_operation&)> hook) { hook_ = std::move(hook); }
  /// The same, for calls that change nothing.
  void before_each_read(std::function<void(const disk_operation&)> hook) { read_hook_ = std::move(hook); }

  /// Called for each unsynced piece in turn; returns whether it reached the disk.
  using survives = std::function<bool()>;
  /// The order in which name changes reach the disk: a journal keeps their order, other file systems guarantee nothing
  /// before the directory is synced.
  enum class name_order { kept, any };
  /// Returns the disk as it would be after a crash now. This object is unchanged.
  std::unique_ptr<memory_file_system> crashed(const survives& lands, name_order order = name_order::kept) const;

  /// The file's bytes, for inspection. Throws `file_error` if there is no such file.
  std::string content(const std::filesystem::path& path) const;
  /// Damages one byte, on disk as well.
  void flip_byte(const std::filesystem::path& path, std::uint64_t offset);

 private:
  friend class memory_file;
  friend class memory_directory;

  struct unsynced_write {
    std::uint64_t offset = 0;
    std::string data;
  };
  /// A file, independent of its name.
  struct node {
    std::string cached;  // what readers see
    std::string durable; // what is certainly on disk
    std::vector<unsynced_write> unsynced;
    void write(std::uint64_t offset, std::string_view data);
  };
  /// A name change that is not durable yet: the name and its new target (null: removed).
  struct unsynced_name {
    std::filesystem::path path;
    std::shared_ptr<node> target;
  };
  using names = std::map<std::filesystem::path, std::shared_ptr<node>>;

  void announce(const disk_operation& operation) const {
    if (hook_) hook_(operation);
  }
  void look(disk_operation::kind_t kind, const std::filesystem::path& path) const {
    if (read_hook_) read_hook_({kind, path, 0, 0});
  }
  std::shared_ptr<node> find(const std::filesystem::path& path, std::string_view call) const;
  void set_name(const std::filesystem::path& path, std::shared_ptr<node> target);

  names names_;
  names durable_names_;
  std::vector<unsynced_name> unsynced_names_;
  std::set<std::filesystem::path> directories_;
  /// Number of holders of each lock: one exclusive holder, or any number of shared ones.
  using lock_counts = std::map<std::filesystem::path, int>;
  std::shared_ptr<lock_counts> locked_ = std::make_shared<lock_counts>();
  std::shared_ptr<lock_counts> shared_ = std::make_shared<lock_counts>();
  std::uint64_t random_;
  std::function<void(const disk_operation&)> hook_;
  std::function<void(const disk_operation&)> read_hook_;
  std::chrono::milliseconds paused_{0};
};

} // namespace troupe
