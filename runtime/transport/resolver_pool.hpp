// Resolves names on a few threads, because the system's resolver blocks.
//
// A thread starts when a name waits and no thread is free, up to a limit, and ends when it has been idle for a while. A
// name is looked up only once at a time, however many callers wait for it, so a name that hangs holds one thread.
// Threads that hang delay neither the end of the pool nor that of the process.
#pragma once

#include "runtime/transport/sockets.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

namespace troupe::net {

/// The addresses of a name, or why there are none.
struct resolution {
  std::shared_ptr<const resolved_host> found;
  std::string problem;
};

/// Thread-safe.
class resolver_pool {
 public:
  using taker = std::function<void(const resolution&)>;
  /// Resolves a name. Blocks. Throws socket_error.
  using resolve = std::function<resolved_host(const std::string& host, std::uint16_t port)>;

  static constexpr std::size_t default_threads = 4;
  static constexpr std::chrono::seconds default_idle{10};

  explicit resolver_pool(std::size_t max_threads = default_threads, std::chrono::milliseconds idle = default_idle,
                         resolve how = {});
  ~resolver_pool();

  /// A thread of the pool calls `done` once. It is not called if the pool ends before, or if newer requests displace it
  /// while the name hangs.
  void ask(const std::string& host, std::uint16_t port, taker done);
  std::size_t threads() const;

 private:
  class state;
  std::shared_ptr<state> state_;
};

} // namespace troupe::net
