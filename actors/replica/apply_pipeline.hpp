// Keeps the order of the log across services that answer at their own pace.
#pragma once

#include "actors/protocol/apply_messages.hpp"

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// Pure. Entries are handed out in batches. A batch is complete when each of its services has answered, and batches are
/// completed in log order, so that the proxy sees every index once and in order.
class apply_pipeline {
 public:
  struct batch {
    index_t last = 0;
    std::size_t bytes = 0;
    /// The outcomes so far.
    std::vector<applied_item> items;
    /// A snapshot replaced all entries up to `last`.
    bool covered = false;
  };

  /// The batch follows the ones before it in the log, and waits for one answer of each of these services.
  void add(batch what, const std::vector<std::string>& services);
  /// The outcomes of the oldest batch that the service has not answered. Throws std::logic_error if there is none.
  void answered(const std::string& service, std::vector<applied_item> outcomes);
  /// The oldest batch if it is complete, with its outcomes in log order.
  std::optional<batch> take_complete();
  /// Of all batches that are not taken yet.
  std::size_t bytes() const noexcept { return bytes_; }

 private:
  struct pending {
    batch what;
    std::size_t unanswered;
  };
  std::deque<pending> batches_;
  std::size_t bytes_ = 0;
  /// Batches are numbered from the first one ever; this is the number of the oldest in `batches_`.
  std::uint64_t first_ = 0;
  /// For each service the batches that wait for its answer, oldest first.
  std::map<std::string, std::deque<std::uint64_t>, std::less<>> expected_;
};

} // namespace troupe
