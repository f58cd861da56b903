// A small file system, for tests with a full disk.
#pragma once

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <sched.h>
#include <string>
#include <sys/mount.h>

namespace troupe::test {

/// A tmpfs of the given size (such as "512k") at `path`, an empty directory. Only this process and its children see it.
class small_mount {
 public:
  small_mount(std::filesystem::path path, const std::string& size) : path_(std::move(path)) {
    if (::unshare(CLONE_NEWNS) != 0) {
      why_ = std::string{"unshare: "} + std::strerror(errno);
    } else if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
               ::mount("tmpfs", path_.c_str(), "tmpfs", 0, ("size=" + size).c_str()) != 0) {
      why_ = std::string{"mount: "} + std::strerror(errno);
    }
  }
  small_mount(const small_mount&) = delete;
  small_mount& operator=(const small_mount&) = delete;
  ~small_mount() {
    if (why_.empty()) ::umount2(path_.c_str(), MNT_DETACH);
  }
  /// Why it is not mounted; empty if it is.
  const std::string& why_not() const { return why_; }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  std::string why_;
};

} // namespace troupe::test
