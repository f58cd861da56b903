// What the snapshot actors need of a disk. The interface lives here with its users; runtime/storage/ implements it.
#pragma once

#include "raft/snapshot.hpp"
#include "services/snapshot.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// Writes one snapshot. It does not exist before `finish`; one that is dropped unfinished leaves nothing behind.
class snapshot_writer {
 public:
  virtual ~snapshot_writer() = default;
  /// The bytes of the next service; the sink is valid until the next call. Names differ.
  virtual services::snapshot_sink& begin(std::string_view service) = 0;
  /// Returns when the snapshot and its name are on disk.
  virtual raft::snapshot_id finish() = 0;
};

/// The bytes of a finished snapshot, as they are sent to other nodes. Stays readable when the snapshot is removed.
class snapshot_bytes {
 public:
  virtual ~snapshot_bytes() = default;
  virtual const raft::snapshot_id& id() const = 0;
  /// Up to `max` bytes from `offset` on; empty at the end.
  virtual std::string read(std::uint64_t offset, std::size_t max) = 0;
};

/// Called for each service of a snapshot in turn; need not read all of its bytes.
using snapshot_section = std::function<void(std::string_view service, services::snapshot_source& from)>;

/// Collects the bytes of another node's snapshot. One that is dropped unfinished leaves nothing behind.
class snapshot_receiver {
 public:
  virtual ~snapshot_receiver() = default;
  /// The offset that is due: everything before it is here.
  virtual std::uint64_t next() const = 0;
  /// The bytes at `next()`. After a temporary error they may be written again.
  virtual void write(std::string_view bytes) = 0;
  /// Once `next()` is the size: checks everything, hands it to `each`, and returns when the snapshot and its name are
  /// on disk. Throws `storage_error` if the bytes are not the snapshot that was announced, and what `each` throws; the
  /// snapshot does not exist then, so that one which this program cannot load takes no other's place. After a temporary
  /// error this may be called again.
  virtual raft::snapshot_point finish(const snapshot_section& each) = 0;
};

/// The snapshots of one node. Blocking. Every function throws `raft::storage_error` when the disk fails or a snapshot
/// is damaged. Functions may be called on several threads at once; each object they return is used by one at a time.
class snapshot_files {
 public:
  virtual ~snapshot_files() = default;
  /// The finished snapshots, newest first. Their content is not looked at.
  virtual std::vector<raft::snapshot_id> list() = 0;
  virtual std::unique_ptr<snapshot_writer> create(const raft::snapshot_point& at) = 0;
  virtual std::unique_ptr<snapshot_bytes> open(const raft::snapshot_id& id) = 0;
  virtual std::unique_ptr<snapshot_receiver> receive(const raft::snapshot_id& id) = 0;
  /// Reads a snapshot from end to end and checks every byte. `each` is called for each service in turn and need not
  /// read all of it.
  virtual raft::snapshot_point load(const raft::snapshot_id& id, const snapshot_section& each) = 0;
  /// Removes all but the newest `kept`, and what is unfinished of others. Returns what is left, newest first.
  virtual std::vector<raft::snapshot_id> prune(std::size_t kept) = 0;
  virtual void remove(const raft::snapshot_id& id) = 0;
  /// Renames a snapshot that cannot be read, so that it counts for nothing; says so for an operator. Of those that were
  /// renamed before, the newest stays and the others go.
  virtual std::string set_aside(const raft::snapshot_id& id) = 0;
};

} // namespace troupe
