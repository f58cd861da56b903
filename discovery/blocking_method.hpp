// A discovery method that waits for others: for a name server, an API server, a daemon. It knows no actors;
// blocking_loop makes one of it.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

namespace troupe {

/// Takes what a method sees. Thread-safe; never blocks for long.
class method_listener {
 public:
  virtual ~method_listener() = default;
  /// All addresses seen now, as host:port, in any order. Nothing is the claim that nobody is there.
  virtual void found(std::vector<std::string> addresses) = 0;
  /// What keeps the method from seeing anything, for a person; empty when it is over. Harmless when repeated.
  virtual void trouble(const std::string& what) = 0;
};

class blocking_method {
 public:
  virtual ~blocking_method() = default;
  /// Looks for peers and tells `listener`, until it is to stop; then returns within a few seconds. Called on a thread
  /// of its own, where it may block. Whatever fails is tried again, ever more seldom, and never in a hot loop.
  virtual void run(const std::stop_token& stop, method_listener& listener) = 0;
};

} // namespace troupe
