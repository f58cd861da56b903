// Resolves names on a few threads, as the system's resolver blocks.
//
// A thread is made when a name waits and none is free, up to a limit, and ends when it has had nothing to do for a
// while. A name is asked for once at a time, however many wait for it: one that hangs holds one thread. Threads that
// hang hold up neither the end of the pool nor that of the process.
#pragma once

#include "runtime/transport/sockets.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

namespace troupe::net {

/// Of a name: its addresses, or what went wrong.
struct resolution {
  std::shared_ptr<const resolved_host> found;
  std::string problem;
};

/// Thread-safe.
class resolver_pool {
 public:
  using taker = std::function<void(const resolution&)>;
  /// How a name is resolved. Blocks; throws socket_error.
  using resolve = std::function<resolved_host(const std::string& host, std::uint16_t port)>;

  static constexpr std::size_t default_threads = 4;
  static constexpr std::chrono::seconds default_idle{10};

  explicit resolver_pool(std::size_t max_threads = default_threads, std::chrono::milliseconds idle = default_idle,
                         resolve how = {});
  ~resolver_pool();

  /// Once, `done` is called by a thread of the pool; not at all if the pool ends before, or newer ones wait for the
  /// same name that hangs.
  void ask(const std::string& host, std::uint16_t port, taker done);
  std::size_t threads() const;

 private:
  class state;
  std::shared_ptr<state> state_;
};

} // namespace troupe::net
