// The part of a data directory that formation needs. The interface is here, beside its user; runtime/ implements it.
#pragma once

#include "raft/base/types.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace troupe {

/// Used by one thread at a time. Every function may block on the disk and may throw raft::storage_error. When a setter
/// returns, its value is on disk.
class identity_store {
 public:
  virtual ~identity_store() = default;
  /// 0 until `set_cluster`.
  virtual raft::cluster_id cluster() const = 0;
  virtual std::optional<std::string> promise() const = 0;
  virtual void set_promise(std::optional<std::string> promise) = 0;
  /// Checksum of the backup that the cluster began with; 0 if it began empty.
  virtual std::uint64_t restored() const = 0;
  /// Once a cluster is set, never called with a different one.
  virtual void set_cluster(raft::cluster_id cluster, std::uint64_t restored) = 0;
};

} // namespace troupe
