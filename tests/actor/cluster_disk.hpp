// A simulated node's disk, which its successive processes use.
#pragma once

#include "runtime/storage/memory_file_system.hpp"
#include "runtime/storage/memory_storage.hpp"

#include <caf/fwd.hpp>

#include <cstdint>
#include <memory>

namespace troupe::test {

struct disk {
  memory_storage memory;
  /// Snapshots and staged backups.
  std::shared_ptr<memory_file_system> files = std::make_shared<memory_file_system>();
  /// Entries up to this index are certainly synced.
  raft::index_t durable = 0;
  /// Number of the current process; a process that was killed can no longer write.
  std::uint64_t process = 0;
  /// The actor that used the disk last.
  caf::actor_id user = 0;
  /// The next sync fails.
  bool breaks = false;
  /// There is no room at all, not even to open the disk.
  bool exhausted = false;
};

} // namespace troupe::test
