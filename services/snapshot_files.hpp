// The disk operations that the snapshot actors need. runtime/storage/ implements this interface.
#pragma once

#include "raft/snapshot.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <troupe/detail/snapshot.hpp>
#include <vector>

namespace troupe {

/// Writes one snapshot, which does not exist before `finish`. A writer that is destroyed before leaves no files behind.
class snapshot_writer {
 public:
  virtual ~snapshot_writer() = default;
  /// Begins the next service and returns the sink for its bytes, which is valid until the next call. Each name occurs
  /// once.
  virtual detail::snapshot_sink& begin(std::string_view service) = 0;
  /// Returns when the snapshot and its file name are on disk.
  virtual raft::snapshot_id finish() = 0;
};

/// The bytes of a finished snapshot, as they are sent to other nodes. They stay readable after the snapshot is removed.
class snapshot_bytes {
 public:
  virtual ~snapshot_bytes() = default;
  virtual const raft::snapshot_id& id() const = 0;
  /// Up to `max` bytes from `offset` on; empty at the end.
  virtual std::string read(std::uint64_t offset, std::size_t max) = 0;
};

/// Called for each service of a snapshot in turn. It need not read all bytes of the service.
using snapshot_section = std::function<void(std::string_view service, detail::snapshot_source& from)>;

/// Collects the bytes of another node's snapshot. A receiver that is destroyed before `finish` leaves no files behind.
class snapshot_receiver {
 public:
  virtual ~snapshot_receiver() = default;
  /// The next offset; all bytes before it have been written.
  virtual std::uint64_t next() const = 0;
  /// Writes the bytes at `next()`. After a temporary error the caller may write them again.
  virtual void write(std::string_view bytes) = 0;
  /// To be called when `next()` is the size. Checks all bytes, passes them to `each`, and returns when the snapshot and
  /// its file name are on disk. Throws `storage_error` if the bytes are not the announced snapshot, and rethrows what
  /// `each` throws. The snapshot does not exist then, so one that this program cannot load does not replace another.
  /// After a temporary error this may be called again.
  virtual raft::snapshot_point finish(const snapshot_section& each) = 0;
};

/// The snapshots of one node. All functions block, and throw `raft::storage_error` if the disk fails or a snapshot is
/// damaged. They may be called on several threads at once. Each object that they return may be used by one thread at a
/// time.
class snapshot_files {
 public:
  virtual ~snapshot_files() = default;
  /// The finished snapshots, newest first. Their content is not read.
  virtual std::vector<raft::snapshot_id> list() = 0;
  virtual std::unique_ptr<snapshot_writer> create(const raft::snapshot_point& at) = 0;
  virtual std::unique_ptr<snapshot_bytes> open(const raft::snapshot_id& id) = 0;
  virtual std::unique_ptr<snapshot_receiver> receive(const raft::snapshot_id& id) = 0;
  /// Reads a snapshot from end to end and checks every byte. `each` is called for each service in turn and need not
  /// read all of it.
  virtual raft::snapshot_point load(const raft::snapshot_id& id, const snapshot_section& each) = 0;
  /// Removes all snapshots but the newest `kept`, and leftovers of unfinished ones. Returns the remaining snapshots,
  /// newest first.
  virtual std::vector<raft::snapshot_id> prune(std::size_t kept) = 0;
  virtual void remove(const raft::snapshot_id& id) = 0;
  /// Quarantines an unreadable snapshot: renames it, so that it is not used any more, and returns a text for the
  /// operator. Of the snapshots quarantined before, keeps the newest and removes the others.
  virtual std::string quarantine(const raft::snapshot_id& id) = 0;
};

} // namespace troupe
