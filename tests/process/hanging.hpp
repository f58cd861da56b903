// Makes the disks of processes hang.
#pragma once

#include "tests/process/cluster.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace troupe::testing {

/// The disks of all processes that are started during its lifetime can be made to hang.
struct hanging_disks {
  hanging_disks() {
    ::setenv("LD_PRELOAD", TROUPE_HANGING_DISK, 1);
    // In builds with sanitizers, their library need not be loaded first.
    ::setenv("ASAN_OPTIONS", "verify_asan_link_order=0", 1);
  }
  ~hanging_disks() {
    ::unsetenv("LD_PRELOAD");
    ::unsetenv("ASAN_OPTIONS");
  }
  hanging_disks(const hanging_disks&) = delete;
};

/// The operations that hang or fail, for a file or for all files in a directory (hanging_disk.cpp).
inline constexpr const char* syncs = ".hang";
inline constexpr const char* reads = ".hang-read";
inline constexpr const char* closes = ".hang-close";
inline constexpr const char* failing_syncs = ".fail";

inline void hang(const std::filesystem::path& path, const char* what = syncs) { std::ofstream{path.string() + what}; }
inline void release(const std::filesystem::path& path, const char* what = syncs) {
  std::filesystem::remove(path.string() + what);
}
inline void hang(const server& node) { hang(node.data_dir()); }
inline void release(const server& node) { release(node.data_dir()); }

} // namespace troupe::testing
