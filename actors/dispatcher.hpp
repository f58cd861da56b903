// Applies committed entries in order: to each service its commands, to the proxy what became of them.
//
//   [following] -- commit_entries with a gap before them --> [fetching] -- log_piece ... no gap left --> [following]
//       |  too much unanswered by services                      ^
//       +------------------------------------------------------+   (what is not taken now is fetched later)
#pragma once

#include "actors/interfaces.hpp"

#include <deque>
#include <limits>
#include <map>
#include <string>
#include <vector>

namespace troupe {

/// The services of this node by name.
using service_table = std::map<std::string, service_handle, std::less<>>;

class dispatcher : public dispatcher_handle::base {
 public:
  dispatcher(caf::actor_config& config, service_table services, proxy_handle proxy, log_store_handle log);
  behavior_type make_behavior() override;
  const char* name() const override { return "dispatcher"; }
  void on_exit() override;

 private:
  /// A piece of the log that was handed out and is not answered by every service yet.
  struct round {
    index_t last = 0;
    std::size_t bytes = 0;
    std::size_t unanswered = 0;
    std::vector<applied_item> items;
  };

  void take(const commit_entries& message);
  void hand_out(const std::vector<raft::entry>& entries);
  void route(const raft::entry& e, round& current, std::map<service_handle, apply_batch>& batches);
  void collect(applied_batch& answer);
  bool may_hand_out() const;
  void catch_up();
  void ask(const query_batch& message);
  void serve(index_t at, const std::vector<query>& queries);

  service_table services_;
  proxy_handle proxy_;
  log_store_handle log_;
  /// handed_ <= target_: the last entry that went to its service, and the last that may.
  index_t handed_ = 0;
  index_t target_ = 0;
  index_t applied_ = 0;
  bool fetching_ = false;
  /// The first term that this node led in this run.
  term_t led_from_ = std::numeric_limits<term_t>::max();
  std::deque<round> rounds_;
  std::size_t outstanding_bytes_ = 0;
  /// For each service the rounds (counted from the first ever) that wait for its answer, oldest first.
  std::map<caf::actor_addr, std::deque<std::uint64_t>> expected_;
  std::uint64_t first_round_ = 0;
  /// Reads that wait for an index.
  std::multimap<index_t, std::vector<query>> waiting_;
  std::size_t waiting_queries_ = 0;
};

} // namespace troupe
