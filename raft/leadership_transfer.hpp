// A transfer of the leadership to another voter (Ongaro's thesis, section 3.10).
#pragma once

#include "raft/events.hpp"

#include <optional>
#include <utility>

namespace troupe::raft {

/// While a transfer is in progress the leader accepts no proposals. Once the target has the whole log, the leader asks
/// it to campaign.
class leadership_transfer {
 public:
  bool in_progress() const noexcept { return current_.has_value(); }
  bool is_to(node_id peer) const noexcept { return current_ && current_->target == peer; }
  /// The target was asked to campaign.
  bool asked() const noexcept { return current_ && current_->asked; }
  node_id target() const { return current_.value().target; }
  /// When the leader gives up.
  std::optional<time_point> until() const { return current_ ? std::optional{current_->until} : std::nullopt; }

  /// `tag` 0: no client asked for the transfer, so none learns how it ends.
  void begin(tag_t tag, node_id target, time_point until) { current_ = pending{tag, target, until, false}; }
  void note_asked() { current_.value().asked = true; }
  /// Without `failure`, the target leads or will. `leader` is who leads after a failure, if that is known.
  void end(std::optional<reject_reason> failure, node_id leader, output& out) {
    const auto done = std::exchange(current_, std::nullopt);
    if (!done || done->tag == 0) return;
    if (failure)
      out.failed_transfer = failed{done->tag, *failure, leader};
    else
      out.transferred_now = transferred{done->tag, done->target};
  }

 private:
  struct pending {
    tag_t tag = 0;
    node_id target;
    time_point until;
    bool asked = false;
  };
  std::optional<pending> current_;
};

} // namespace troupe::raft
