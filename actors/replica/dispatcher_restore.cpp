// The part of the dispatcher that replaces the services' state by a backup's.
#include "actors/replica/dispatcher.hpp"

#include <troupe/log.hpp>
#include <utility>

namespace troupe {

void dispatcher::restore(const raft::entry& e, const raft::snapshot_id& backup) {
  restoring_ = {e.index, e.term};
  request(staging_, caf::infinite, load_backup{backup, e.index}).then([this](const backup_loaded& answer) {
    restored(answer);
  });
}

void dispatcher::restored(const backup_loaded& answer) {
  // A snapshot beyond the entry may have been adopted in the meantime.
  if (!restoring_ || restoring_->index != answer.at) {
    if (answer.state) discard(*answer.state);
    return;
  }
  if (!answer.state) {
    log().warn("the backup that is restored at index {} is missing on this node: waiting for another node's snapshot",
               answer.at);
    if (role_) send(role_, raft::state_missing{answer.at});
    return;
  }
  log().info("restored the state of backup {} at index {}", raft::to_string(raft::node_id{answer.state->id.checksum}),
             answer.at);
  replace_states(*answer.state);
  handed_ = *std::exchange(restoring_, std::nullopt);
  restored_at_ = handed_.index;
  // The backup replaces the state, so the skipped commands no longer matter.
  missing_service_.clear();
  schedule_.wrote(answer.state->id.size);
  outstanding_batch alone;
  alone.last = handed_.index;
  alone.items.push_back({handed_.index, handed_.term, errc::none, {}});
  add_batch(std::move(alone));
  snapshot_if_due();
}

} // namespace troupe
