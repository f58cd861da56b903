// A snapshot, or a backup, that arrives in pieces.
#pragma once

#include "raft/base/types.hpp"
#include "raft/storage.hpp"
#include "services/snapshot_files.hpp"

#include <chrono>
#include <memory>
#include <string_view>
#include <utility>

namespace troupe {

/// What is here of it. Throws what the files throw.
class incoming_snapshot {
 public:
  explicit operator bool() const noexcept { return to_ != nullptr; }
  /// No id when nothing is being received.
  const raft::snapshot_id& id() const noexcept { return id_; }

  void begin(std::unique_ptr<snapshot_receiver> to, const raft::snapshot_id& id) {
    to_ = std::move(to);
    id_ = id;
  }
  /// Bytes that are not due are passed over. The offset that is due then.
  std::uint64_t take(std::uint64_t offset, std::string_view data, raft::time_point now) {
    heard_ = now;
    if (offset == to_->next() && data.size() <= id_.size - offset) to_->write(data);
    return to_->next();
  }
  /// Once all of it is here: checks it, hands it to `each` and brings it to disk. It is over then, unless that fails
  /// for a temporary reason.
  raft::snapshot_point finish(const snapshot_section& each) {
    try {
      const auto at = to_->finish(each);
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
  /// Nobody goes on with it after this: who sent it is gone, or has begun another one.
  raft::time_point given_up_at() const noexcept { return heard_ + std::chrono::seconds{60}; }

 private:
  std::unique_ptr<snapshot_receiver> to_;
  raft::snapshot_id id_;
  raft::time_point heard_;
};

} // namespace troupe
