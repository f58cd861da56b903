#include "runtime/storage/posix_file_system.hpp"

#include "runtime/os/os_error.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <mutex>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

namespace troupe {

using std::filesystem::path;

/// Open descriptors that are closed when one is needed elsewhere. Another thread may take the descriptor that was
/// released, so there are several. Thread-safe.
class descriptor_reserve {
 public:
  explicit descriptor_reserve(std::size_t most) : most_(most) { fill(); }
  descriptor_reserve(const descriptor_reserve&) = delete;
  descriptor_reserve& operator=(const descriptor_reserve&) = delete;
  ~descriptor_reserve() {
    for (const auto fd : held_) ::close(fd);
  }

  void fill() {
    const std::lock_guard lock{mutex_};
    while (held_.size() < most_) {
      const auto fd = ::open("/", O_PATH | O_CLOEXEC);
      if (fd < 0) return;
      held_.push_back(fd);
    }
  }
  bool release_one() {
    const std::lock_guard lock{mutex_};
    if (held_.empty()) return false;
    ::close(held_.back());
    held_.pop_back();
    return true;
  }

 private:
  const std::size_t most_;
  std::mutex mutex_;
  std::vector<int> held_;
};

namespace {
/// Only the process's user may access files and directories, whatever the umask.
constexpr mode_t file_mode = S_IRUSR | S_IWUSR;
constexpr mode_t directory_mode = S_IRWXU;

/// Owns a file descriptor.
class descriptor {
 public:
  descriptor(const path& name, int flags, descriptor_reserve& reserve) {
    const auto open = [&] { return uninterrupted([&] { return ::open(name.c_str(), flags | O_CLOEXEC, file_mode); }); };
    fd_ = open();
    while (fd_ < 0 && (errno == EMFILE || errno == ENFILE) && reserve.release_one()) fd_ = open();
    if (fd_ < 0) throw file_error("open", name, errno);
    reserve.fill();
  }
  descriptor(descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  descriptor& operator=(descriptor&&) = delete;
  ~descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const noexcept { return fd_; }

 private:
  int fd_ = -1;
};

class posix_file final : public file {
 public:
  posix_file(path name, int flags, descriptor_reserve& reserve) : path_(std::move(name)), fd_(path_, flags, reserve) {}

  std::uint64_t size() override {
    struct stat status = {};
    if (::fstat(fd_.get(), &status) != 0) throw file_error("fstat", path_, errno);
    return static_cast<std::uint64_t>(status.st_size);
  }

  std::size_t read(std::uint64_t offset, std::span<char> into) override {
    std::size_t done = 0;
    while (done < into.size()) {
      const auto got = ::pread(fd_.get(), into.data() + done, into.size() - done, static_cast<off_t>(offset + done));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) throw file_error("read", path_, errno);
      if (got == 0) break;
      done += static_cast<std::size_t>(got);
    }
    return done;
  }

  void write(std::uint64_t offset, std::string_view data) override {
    while (!data.empty()) {
      const auto put = ::pwrite(fd_.get(), data.data(), data.size(), static_cast<off_t>(offset));
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) throw file_error("write", path_, errno);
      offset += static_cast<std::uint64_t>(put);
      data.remove_prefix(static_cast<std::size_t>(put));
    }
  }

  void preallocate(std::uint64_t size) override {
    check_space(size);
    int code = 0;
    do {
      code = ::posix_fallocate(fd_.get(), 0, static_cast<off_t>(size));
    } while (code == EINTR);
    if (code != 0) throw file_error("preallocate", path_, code);
  }

  /// Removes the access of other users. An existing file keeps its mode when it is opened, and an earlier version or a
  /// copy may have left it open to them.
  void restrict_mode() {
    struct stat status = {};
    if (::fstat(fd_.get(), &status) != 0) throw file_error("fstat", path_, errno);
    if ((status.st_mode & (S_IRWXG | S_IRWXO)) == 0) return;
    // Fails on file systems without modes, and for anyone but the owner. The data is then as safe as its directory.
    [[maybe_unused]] const int failed = ::fchmod(fd_.get(), file_mode);
  }

  void sync() override {
    // Not repeated on EINTR: it is then unknown whether the pages are still dirty.
    if (::fdatasync(fd_.get()) != 0) throw file_error("sync", path_, errno);
  }

 private:
  /// Throws if a preallocation cannot succeed: it would use up the rest of the disk before it fails.
  void check_space(std::uint64_t size) {
    struct statvfs space = {};
    struct stat status = {};
    if (::fstatvfs(fd_.get(), &space) != 0 || ::fstat(fd_.get(), &status) != 0)
      throw file_error("statvfs", path_, errno);
    const auto taken = static_cast<std::uint64_t>(status.st_blocks) * 512;
    const auto free = std::uint64_t{space.f_bavail} * space.f_frsize;
    // A file system without a size (f_blocks is 0) does not report its free space.
    if (space.f_blocks > 0 && size > taken && size - taken > free) throw file_error("preallocate", path_, ENOSPC);
  }

  path path_;
  descriptor fd_;
};

class posix_lock final : public file_lock {
 public:
  posix_lock(descriptor fd, bool named) : fd_(std::move(fd)), named_(named) {}
  posix_lock(const posix_lock&) = delete;
  ~posix_lock() override {
    // Removes this process's name: holders of a shared lock write no name, and this one must not be reported for them.
    // If it fails, at worst a message is wrong.
    if (named_) [[maybe_unused]]
      const int failed = ::ftruncate(fd_.get(), 0);
  }

 private:
  descriptor fd_;
  bool named_;
};

class posix_directory final : public directory {
 public:
  posix_directory(path name, descriptor_reserve& reserve)
      : path_(std::move(name)), fd_(path_, O_RDONLY | O_DIRECTORY, reserve) {}

  void sync() override {
    if (::fsync(fd_.get()) != 0) throw file_error("sync", path_, errno);
  }

 private:
  path path_;
  descriptor fd_;
};

/// Takes an flock, or returns false and sets `holder` to the content of the file.
bool try_lock(const descriptor& fd, int kind, const path& name, std::string& holder) {
  if (uninterrupted([&] { return ::flock(fd.get(), kind | LOCK_NB); }) == 0) return true;
  if (errno != EWOULDBLOCK) throw file_error("lock", name, errno);
  char text[64];
  const auto got = ::pread(fd.get(), text, sizeof text, 0);
  holder.assign(text, got > 0 ? static_cast<std::size_t>(got) : 0);
  while (!holder.empty() && holder.back() == '\n') holder.pop_back();
  return false;
}

} // namespace

posix_file_system::posix_file_system(std::size_t reserved_descriptors)
    : reserve_(std::make_shared<descriptor_reserve>(reserved_descriptors)) {}

std::unique_ptr<file> posix_file_system::open(const path& name) {
  return std::make_unique<posix_file>(name, O_RDWR, *reserve_);
}

std::unique_ptr<file> posix_file_system::open_to_read(const path& name) {
  return std::make_unique<posix_file>(name, O_RDONLY, *reserve_);
}

std::unique_ptr<file> posix_file_system::create(const path& name) {
  auto made = std::make_unique<posix_file>(name, O_RDWR | O_CREAT | O_TRUNC, *reserve_);
  made->restrict_mode();
  return made;
}

bool posix_file_system::exists(const path& name) {
  struct stat status = {};
  if (::stat(name.c_str(), &status) == 0) return true;
  if (errno == ENOENT || errno == ENOTDIR) return false;
  throw file_error("stat", name, errno);
}

std::vector<std::string> posix_file_system::list(const path& directory) {
  if (!exists(directory)) return {};
  std::error_code error;
  std::vector<std::string> names;
  std::filesystem::directory_iterator it(directory, error);
  while ((error.value() == EMFILE || error.value() == ENFILE) && reserve_->release_one())
    it = std::filesystem::directory_iterator(directory, error);
  while (!error && it != std::filesystem::directory_iterator{}) {
    names.push_back(it->path().filename().string());
    it.increment(error);
  }
  if (error) throw file_error("list", directory, error.value());
  reserve_->fill();
  std::sort(names.begin(), names.end());
  return names;
}

void posix_file_system::rename(const path& from, const path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) throw file_error("rename", from, errno);
}

void posix_file_system::remove(const path& name) {
  if (::unlink(name.c_str()) != 0) throw file_error("unlink", name, errno);
}

void posix_file_system::make_directory(const path& name) {
  if (::mkdir(name.c_str(), directory_mode) == 0) return;
  const int failed = errno;
  if (failed == ENOENT && name.has_parent_path() && name.parent_path() != name) {
    make_directory(name.parent_path());
    if (::mkdir(name.c_str(), directory_mode) == 0 || errno == EEXIST) return;
    throw file_error("mkdir", name, errno);
  }
  std::error_code error;
  if (!std::filesystem::is_directory(name, error)) throw file_error("mkdir", name, failed);
}

void posix_file_system::sync_directory(const path& name) { open_directory(name)->sync(); }

std::unique_ptr<directory> posix_file_system::open_directory(const path& name) {
  return std::make_unique<posix_directory>(name.empty() ? path{"."} : name, *reserve_);
}

std::unique_ptr<file_lock> posix_file_system::lock(const path& name, std::string& holder) {
  descriptor fd{name, O_RDWR | O_CREAT, *reserve_};
  if (!try_lock(fd, LOCK_EX, name, holder)) return nullptr;
  // The content of the file is only used in the error message of the next process that tries to lock it.
  const auto text = "process " + std::to_string(::getpid()) + "\n";
  if (uninterrupted([&] { return ::ftruncate(fd.get(), 0); }) != 0) throw file_error("truncate", name, errno);
  const auto put = uninterrupted([&] { return ::pwrite(fd.get(), text.data(), text.size(), 0); });
  if (put < 0 && errno != ENOSPC) throw file_error("write", name, errno);
  return std::make_unique<posix_lock>(std::move(fd), true);
}

std::unique_ptr<file_lock> posix_file_system::lock_shared(const path& name, std::string& holder) {
  descriptor fd{name, O_RDONLY | O_CREAT, *reserve_};
  if (!try_lock(fd, LOCK_SH, name, holder)) return nullptr;
  return std::make_unique<posix_lock>(std::move(fd), false);
}

bool open_to_others(const path& directory) {
  struct stat status = {};
  return ::stat(directory.c_str(), &status) == 0 && (status.st_mode & S_IRWXO) != 0;
}

std::uint64_t posix_file_system::draw_random() {
  std::uint64_t value = 0;
  // Requests of up to 256 bytes return in full (getrandom(2)); a signal can interrupt only before the kernel's pool is
  // ready.
  while (::getrandom(&value, sizeof value, 0) != static_cast<ssize_t>(sizeof value))
    if (errno != EINTR) throw file_error("getrandom", "the kernel", errno);
  return value;
}

void posix_file_system::pause(std::chrono::milliseconds time) { std::this_thread::sleep_for(time); }

} // namespace troupe
