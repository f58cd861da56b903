// Receives a snapshot or a backup that arrives in chunks.
#pragma once

#include "raft/base/types.hpp"
#include "raft/storage.hpp"
#include "services/snapshot_files.hpp"

#include <chrono>
#include <memory>
#include <string_view>
#include <utility>

namespace troupe {

/// The chunks received so far of at most one transfer. Functions throw what the files throw.
class incoming_snapshot {
 public:
  explicit operator bool() const noexcept { return to_ != nullptr; }
  /// Empty id if nothing is being received.
  const raft::snapshot_id& id() const noexcept { return id_; }

  void begin(std::unique_ptr<snapshot_receiver> to, const raft::snapshot_id& id) {
    to_ = std::move(to);
    id_ = id;
  }
  /// Writes the chunk if `offset` is the expected one, else ignores it. Returns the offset that is expected next.
  std::uint64_t take(std::uint64_t offset, std::string_view data, raft::time_point now) {
    last_data_at_ = now;
    if (offset == to_->next() && data.size() <= id_.size - offset) to_->write(data);
    return to_->next();
  }
  /// To be called when everything has arrived: checks it, passes each section to `each` and syncs it to disk. This ends
  /// the transfer, unless it fails with a temporary error.
  raft::snapshot_point finish(const snapshot_section& each) {
    try {
      auto at = to_->finish(each);
      forget();
      return at;
    } catch (const raft::storage_error& error) {
      if (!error.temporary()) forget();
      throw;
    } catch (...) {
      forget();
      throw;
    }
  }
  void forget() {
    to_.reset();
    id_ = {};
  }
  /// When an idle transfer is abandoned: its sender is gone, or sends another snapshot.
  raft::time_point expires_at() const noexcept { return last_data_at_ + std::chrono::seconds{60}; }

 private:
  std::unique_ptr<snapshot_receiver> to_;
  raft::snapshot_id id_;
  raft::time_point last_data_at_;
};

} // namespace troupe
