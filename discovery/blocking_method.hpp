// A discovery method that blocks: it waits for a name server, an API server or a daemon. It does not use actors;
// blocking_loop runs it for them.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

namespace troupe {

/// Receives the results of a method. Thread-safe; never blocks for long.
class method_listener {
 public:
  virtual ~method_listener() = default;
  /// All addresses seen now, as host:port, in any order. An empty list asserts that there are no peers.
  virtual void found(std::vector<std::string> addresses) = 0;
  /// Reports in words why the method cannot find peers; empty when the problem is over. May be repeated.
  virtual void trouble(const std::string& what) = 0;
};

class blocking_method {
 public:
  virtual ~blocking_method() = default;
  /// Looks for peers and notifies `listener` until a stop is requested, then returns within a few seconds. Called on a
  /// thread of its own, where it may block. Retries failures with increasing pauses, never in a busy loop.
  virtual void run(const std::stop_token& stop, method_listener& listener) = 0;
};

} // namespace troupe
