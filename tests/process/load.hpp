// Many clients that write, and the record of what each write was answered.
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

/// Writes i under key "ki" of map "load", each key once, from several keep-alive connections. What is surely not done
/// is tried again; what may have been done is not.
class load {
 public:
  enum class fate : unsigned char { open, acknowledged, maybe };

  struct options {
    std::size_t writes = 0;
    std::size_t connections = 0;
    /// Of each connection, between two writes.
    milliseconds pause{0};
  };
  /// Starts when some writes are allowed, through the nodes at these positions: at least one.
  load(node_connector connect, options chosen, std::vector<std::size_t> through);
  ~load() { stop(); }

  /// Lets the first `count` writes begin; those behind wait.
  void allow(std::size_t count);
  /// Calls `what`, once, from the writer that gets the `count`th acknowledgement, while the others go on. To be said
  /// while all writers wait.
  void at_acknowledged(std::size_t count, std::function<void()> what);
  /// The connections are spread over these nodes. One whose write is not acknowledged goes on to the next of them.
  void go_through(std::vector<std::size_t> nodes);
  bool goes_through(std::size_t node) const;
  std::size_t acknowledged() const { return acknowledged_; }
  std::size_t maybe() const { return maybe_; }
  /// Returns when every write has its fate.
  void join();
  /// Gives up what has no fate yet.
  void stop();
  /// Answers that no write may get, by text; empty if all is well. Call it after `join` or `stop`.
  const std::vector<std::string>& wrong() const { return wrong_; }

  /// After `join` or `stop`: reads every key through a node: what was acknowledged must be there, and nothing may be
  /// there that was not written. Returns what is not so, as text.
  std::vector<std::string> check(std::size_t node) const;

 private:
  void work(std::size_t number);
  /// Where a worker goes that has turned so often.
  std::size_t node_at(std::size_t turn) const;
  /// The next write to be done; nothing if there is none.
  std::optional<std::size_t> take();
  /// Gives the write its fate and returns it; open if it was surely not done.
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
