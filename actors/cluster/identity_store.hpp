// What formation needs of a data directory. The interface lives here with its user; runtime/ implements it.
#pragma once

#include "raft/base/types.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace troupe {

/// Used by one thread at a time. Every function may block on the disk and may throw raft::storage_error; what a setter
/// wrote is on disk when it returns.
class identity_store {
 public:
  virtual ~identity_store() = default;
  /// 0 until `set_cluster`.
  virtual raft::cluster_id cluster() const = 0;
  virtual std::optional<std::string> promise() const = 0;
  virtual void set_promise(std::optional<std::string> promise) = 0;
  /// The checksum of the backup that the cluster began with, 0 for none.
  virtual std::uint64_t restored() const = 0;
  /// Never called with another cluster once one is set.
  virtual void set_cluster(raft::cluster_id cluster, std::uint64_t restored) = 0;
};

} // namespace troupe
