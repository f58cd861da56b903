// A discovery method that waits: for a name server, an API server, a daemon. It does not know actors; blocking_source
// (discovery.hpp) makes one of it.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

namespace troupe {

/// Takes what a method sees. Thread-safe; never blocks for long.
class method_listener {
 public:
  virtual ~method_listener() = default;
  /// All addresses that are seen now, as host:port, in any order. An empty list asserts that there are no peers.
  virtual void found(std::vector<std::string> addresses) = 0;
  /// Why the method cannot see anything, human-readable; empty when that has passed. Harmless when repeated.
  virtual void problem(const std::string& what) = 0;
};

class blocking_method {
 public:
  virtual ~blocking_method() = default;
  /// Looks for peers and reports them to `listener` until it is asked to stop; then returns within a few seconds.
  /// Called on a thread of its own, where it may block. It retries what fails, ever more rarely, and never in a busy
  /// loop. If it throws, it is called again a second later.
  virtual void run(const std::stop_token& stop, method_listener& listener) = 0;
};

} // namespace troupe
