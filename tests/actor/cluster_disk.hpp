// What a node of a test has on disk, whichever of its processes is using it.
#pragma once

#include "runtime/storage/memory_file_system.hpp"
#include "runtime/storage/memory_storage.hpp"

#include <caf/fwd.hpp>

#include <cstdint>
#include <memory>

namespace troupe::test {

struct disk {
  memory_storage memory;
  /// The snapshots.
  std::shared_ptr<memory_file_system> files = std::make_shared<memory_file_system>();
  /// Entries up to here are surely synced.
  raft::index_t durable = 0;
  /// Counts processes; one that was killed cannot write any more.
  std::uint64_t process = 0;
  /// The actor that used it last.
  caf::actor_id user = 0;
  /// The next sync fails.
  bool breaks = false;
  /// Nothing finds room, not even an opening.
  bool exhausted = false;
};

} // namespace troupe::test
