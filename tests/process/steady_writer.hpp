// A few clients that write continuously and measure how long each write takes.
#pragma once

#include "tests/process/cluster.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace troupe::testing {

/// The median of at least one number.
double median(std::vector<double> of);

/// Writes to a few keys of map "steady", from keep-alive connections to some nodes.
class steady_writer {
 public:
  struct options {
    std::size_t connections = 6;
    /// The pause between two writes of one connection.
    std::chrono::milliseconds pause{2};
    std::size_t value_bytes = 16;
    /// Positions of the nodes to write through; empty: all.
    std::vector<std::size_t> through = {};
  };
  steady_writer(cluster& nodes, options chosen);
  ~steady_writer() { stop(); }

  /// The 99th percentile of the writes that completed since the last call, in milliseconds; 0 without writes.
  double take_p99();
  std::size_t acknowledged() const { return acknowledged_; }
  /// Stops the writers. Returns the answers to failed writes and the texts of exceptions.
  std::vector<std::string> stop();

 private:
  void work(std::size_t number);

  cluster& nodes_;
  const options options_;
  std::atomic<bool> stopped_ = false;
  std::atomic<std::size_t> acknowledged_ = 0;
  std::mutex mutex_;
  std::vector<double> took_ms_;
  std::vector<std::string> wrong_;
  std::vector<std::thread> workers_;
};

} // namespace troupe::testing
