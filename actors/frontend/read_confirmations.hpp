// The requests for a read index that a proxy has sent, and for whom.
#pragma once

#include "actors/frontend/pending_table.hpp"

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

namespace troupe {

/// A read-index request of another node's proxy, which waits for an answer.
struct remote_read {
  requester_handle origin;
  std::uint64_t number = 0;
};

/// One request for a read index, on behalf of all reads that waited for one at that moment.
struct confirmation {
  /// The node that was asked.
  node_id by;
  std::vector<raft::tag_t> reads;
  std::vector<remote_read> remotes;
  raft::time_point deadline;
};

/// Pure except for the handles that it holds.
class read_confirmations {
 public:
  bool empty() const noexcept { return asked_.empty(); }
  void add(raft::tag_t number, confirmation question) { asked_.emplace(number, std::move(question)); }
  /// Null if there is no such request.
  const confirmation* find(raft::tag_t number) const;
  std::optional<confirmation> take(raft::tag_t number);
  /// The numbers of the requests that wait for this node's answer, in the order in which they were sent.
  std::vector<raft::tag_t> asked_of(node_id by) const;
  /// Forgets requests whose deadline has passed: no caller waits for them any more.
  void expire(raft::time_point now);
  /// Empties the table. Returns the reads of other nodes.
  std::vector<remote_read> take_remotes();

 private:
  std::unordered_map<raft::tag_t, confirmation> asked_;
};

} // namespace troupe
