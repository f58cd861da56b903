// The reads that wait until this node has handed out the entries that they must see.
#pragma once

#include "actors/protocol/apply_messages.hpp"

#include <cstddef>
#include <map>
#include <vector>

namespace troupe {

/// Pure.
class waiting_reads {
 public:
  /// Returns false, and takes nothing, if too many queries would wait.
  bool add(const query_batch& what) {
    if (size_ + what.queries.size() > most) return false;
    size_ += what.queries.size();
    waiting_.emplace(what.at, what.queries);
    return true;
  }
  /// Removes the reads that wait for `index` or less and passes each batch to `serve(at, queries)`, lowest index first.
  template <class Serve> void take_up_to(index_t index, Serve serve) {
    for (auto it = waiting_.begin(); it != waiting_.end() && it->first <= index; it = waiting_.erase(it)) {
      size_ -= it->second.size();
      serve(it->first, it->second);
    }
  }

 private:
  /// Limit of queries that wait.
  static constexpr std::size_t most = 100'000;
  std::multimap<index_t, std::vector<query>> waiting_;
  std::size_t size_ = 0;
};

} // namespace troupe
