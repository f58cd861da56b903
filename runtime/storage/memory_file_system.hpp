// A disk in memory that can lose power: what was not synced is lost, kept or torn as the test decides, and every call
// can be watched or refused.
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

/// A call that changes something, as `before_each` sees it, or that looks at something, as `before_each_look` does.
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
    // These only look.
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

/// Files survive a crash as far as they were synced; of each later write any set of 512-byte sectors, of the later
/// changes of names any first part. Directories are durable at once, locks end with the crash. One thread at a time.
class memory_file_system final : public file_system {
 public:
  static constexpr std::uint64_t sector = 512;

  /// `seed` decides what `draw_random` yields.
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
  std::unique_ptr<file_lock> lock_to_look(const std::filesystem::path& path, std::string& holder) override;
  std::uint64_t draw_random() override;
  /// Takes no time; `paused` tells how much it would have been.
  void pause(std::chrono::milliseconds time) override { paused_ += time; }
  std::chrono::milliseconds paused() const noexcept { return paused_; }

  /// Called before every change. When it throws (a `file_error`, to play a failing disk) the change does not happen; a
  /// refused sync moreover forgets, as Linux does, that what was written until then is not on disk.
  void before_each(std::function<void(const disk_operation&)> hook) { hook_ = std::move(hook); }
  /// The same for calls that change nothing.
  void before_each_look(std::function<void(const disk_operation&)> hook) { look_hook_ = std::move(hook); }

  /// Answers, for each unsynced piece in turn, whether it reached the disk.
  using survives = std::function<bool()>;
  /// The order in which changes of names reach the disk: a journal keeps theirs, other file systems promise nothing
  /// before the directory is synced.
  enum class name_order { kept, any };
  /// The disk as it is found after a crash now. This one stays as it is.
  std::unique_ptr<memory_file_system> crashed(const survives& lands, name_order order = name_order::kept) const;

  /// The file's bytes, to look at and to damage; what is changed here is on disk at once. Throws `file_error` when
  /// there is no such file.
  std::string content(const std::filesystem::path& path) const;
  void flip_byte(const std::filesystem::path& path, std::uint64_t offset);

 private:
  friend class memory_file;
  friend class memory_directory;

  struct unsynced_write {
    std::uint64_t offset = 0;
    std::string data;
  };
  /// A file apart from its name.
  struct node {
    std::string cached;  // what a reader sees
    std::string durable; // what is surely on disk
    std::vector<unsynced_write> unsynced;
    void write(std::uint64_t offset, std::string_view data);
  };
  /// A change of names that is not durable: the name and what it then stands for (null: nothing).
  struct unsynced_name {
    std::filesystem::path path;
    std::shared_ptr<node> target;
  };
  using names = std::map<std::filesystem::path, std::shared_ptr<node>>;

  void announce(disk_operation operation) const {
    if (hook_) hook_(operation);
  }
  void look(disk_operation::kind_t kind, const std::filesystem::path& path) const {
    if (look_hook_) look_hook_({kind, path, 0, 0});
  }
  std::shared_ptr<node> find(const std::filesystem::path& path, std::string_view call) const;
  void set_name(const std::filesystem::path& path, std::shared_ptr<node> target);

  names names_;
  names durable_names_;
  std::vector<unsynced_name> unsynced_names_;
  std::set<std::filesystem::path> directories_;
  /// How many hold each lock: one, or some who only look.
  using lock_counts = std::map<std::filesystem::path, int>;
  std::shared_ptr<lock_counts> locked_ = std::make_shared<lock_counts>();
  std::shared_ptr<lock_counts> looked_at_ = std::make_shared<lock_counts>();
  std::uint64_t random_;
  std::function<void(const disk_operation&)> hook_;
  std::function<void(const disk_operation&)> look_hook_;
  std::chrono::milliseconds paused_{0};
};

} // namespace troupe
