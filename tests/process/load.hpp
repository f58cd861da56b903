// Many clients that write, and a record of the answer to each write.
#pragma once

#include "tests/process/cluster.hpp"

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace troupe::testing {

/// Writes i under key "ki" of map "load", each key once, from several keep-alive connections. Rejected writes are
/// retried; writes with an unknown outcome are not.
class load {
 public:
  enum class fate : unsigned char { open, acknowledged, maybe };

  struct options {
    std::size_t writes = 0;
    std::size_t connections = 0;
    /// The pause of each connection between two writes.
    milliseconds pause{0};
  };
  /// Writes through the nodes at these positions, at least one. Starts once `allow` is called.
  load(node_connector connect, options chosen, std::vector<std::size_t> through);
  ~load() { stop(); }

  /// Lets the first `count` writes start; the later ones wait.
  void allow(std::size_t count);
  /// Calls `what` once, from the writer that gets the `count`th acknowledgement, while the others continue. Call this
  /// while all writers wait.
  void at_acknowledged(std::size_t count, std::function<void()> what);
  /// Spreads the connections over these nodes. A connection whose write is not acknowledged moves to the next node.
  void go_through(std::vector<std::size_t> nodes);
  bool goes_through(std::size_t node) const;
  std::size_t acknowledged() const { return acknowledged_; }
  std::size_t maybe() const { return maybe_; }
  /// Returns when the fate of every write is known.
  void join();
  /// Gives up all writes whose fate is not known yet.
  void stop();
  /// The texts of unexpected answers; empty if there were none. Call it after `join` or `stop`.
  const std::vector<std::string>& wrong() const { return wrong_; }

  /// Reads every key through a node, after `join` or `stop`. All acknowledged values must exist, and no value that was
  /// not written. Returns the violations as texts.
  std::vector<std::string> check(std::size_t node) const;

 private:
  void work(std::size_t number);
  /// The node of a worker that has moved `turn` times.
  std::size_t node_at(std::size_t turn) const;
  /// The next write; empty if there is none.
  std::optional<std::size_t> take();
  /// Sends the write, and records and returns its fate: open if it was rejected.
  fate write(std::size_t i, http::client& connection);
  void settle(std::size_t i, fate what);
  std::string check_key(std::size_t i, http::client& connection) const;

  const node_connector connect_;
  const milliseconds pause_;
  std::vector<std::atomic<fate>> fates_;
  std::atomic<std::size_t> acknowledged_ = 0;
  std::atomic<std::size_t> maybe_ = 0;
  std::atomic<bool> stopped_ = false;
  mutable std::mutex mutex_;
  std::vector<std::size_t> through_;
  std::condition_variable may_go_on_;
  std::size_t next_ = 0;
  std::size_t allowed_ = 0;
  std::size_t event_at_ = 0;
  std::function<void()> event_;
  std::vector<std::string> wrong_;
  std::vector<std::thread> workers_;
};

} // namespace troupe::testing
