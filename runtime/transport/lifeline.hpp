// One open connection as the watchdog sees it: when it was last heard, and the way to cut it.
#pragma once

#include "runtime/transport/sockets.hpp"

#include <atomic>
#include <mutex>
#include <string>

namespace troupe::net {

/// Thread-safe. Whoever owns the socket calls `end` before closing it.
class lifeline {
 public:
  lifeline(int socket, std::string peer);

  void heard() noexcept { heard_at_.store(now(), std::memory_order_relaxed); }
  steady_time heard_at() const noexcept { return steady_time{steady_time::duration{heard_at_.load()}}; }
  /// The other end has introduced itself to CAF; until then its time is limited.
  void introduced() noexcept { introduced_.store(true, std::memory_order_relaxed); }
  bool is_introduced() const noexcept { return introduced_.load(std::memory_order_relaxed); }
  steady_time since() const noexcept { return since_; }
  /// While it is held, this process does not read it: its silence is no fault of the other end.
  void hold() noexcept { held_.store(true, std::memory_order_relaxed); }
  void release() noexcept {
    heard();
    held_.store(false, std::memory_order_release);
  }
  bool is_held() const noexcept { return held_.load(std::memory_order_acquire); }
  /// The address of the other end, without its port.
  const std::string& peer() const noexcept { return peer_; }
  /// What limits count it as.
  const std::string& network() const noexcept { return network_; }
  bool ended() const;
  void end();
  /// Shuts the socket down: its owner then finds it closed.
  void cut();

 private:
  static steady_time::rep now() noexcept { return std::chrono::steady_clock::now().time_since_epoch().count(); }

  const std::string peer_;
  const std::string network_;
  const steady_time since_ = std::chrono::steady_clock::now();
  std::atomic<bool> introduced_ = false;
  std::atomic<bool> held_ = false;
  std::atomic<steady_time::rep> heard_at_;
  mutable std::mutex mutex_;
  int socket_;
};

} // namespace troupe::net
