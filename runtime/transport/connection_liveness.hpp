// One open connection as the watchdog sees it: when something last arrived on it, and how to cut it.
#pragma once

#include "runtime/transport/sockets.hpp"

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>

namespace troupe::net {

struct realm;

/// Thread-safe. The owner of the socket calls `end` before closing it.
class connection_liveness {
 public:
  static constexpr std::chrono::milliseconds usual_silence_limit{900};

  /// `opened_in` is the realm that the connection belongs to (see system_network.hpp).
  connection_liveness(int socket, std::string peer, std::chrono::milliseconds silence_limit = usual_silence_limit,
                      std::weak_ptr<const realm> opened_in = {});

  void heard() noexcept { heard_at_.store(now(), std::memory_order_relaxed); }
  steady_time heard_at() const noexcept { return steady_time{steady_time::duration{heard_at_.load()}}; }
  /// Call this when the other end has introduced itself to CAF. Until then its time is limited.
  void introduced() noexcept { introduced_.store(true, std::memory_order_relaxed); }
  bool is_introduced() const noexcept { return introduced_.load(std::memory_order_relaxed); }
  steady_time since() const noexcept { return since_; }
  /// While the connection is held, this process does not read it, so its silence is not a fault of the other end.
  void hold() noexcept { held_.store(true, std::memory_order_relaxed); }
  void release() noexcept {
    heard();
    held_.store(false, std::memory_order_release);
  }
  bool is_held() const noexcept { return held_.load(std::memory_order_acquire); }
  /// The address of the other end, without its port.
  const std::string& peer() const noexcept { return peer_; }
  /// The network_of the peer, which limits count.
  const std::string& network() const noexcept { return network_; }
  /// A connection on which nothing arrives for this long is cut.
  std::chrono::milliseconds silence_limit() const noexcept { return std::chrono::milliseconds{limit_.load()}; }
  /// From now on the owner of the other connection uses this one. The stricter silence limit applies.
  void share_with(const connection_liveness& other);
  bool is_of_same_realm(const connection_liveness& other) const noexcept;
  /// True if no transport uses the connection's realm any more.
  bool is_orphaned() const;
  bool ended() const;
  void end();
  /// Shuts the socket down. Its owner then finds it closed.
  void cut();

 private:
  static steady_time::rep now() noexcept { return std::chrono::steady_clock::now().time_since_epoch().count(); }

  const std::string peer_;
  const std::string network_;
  /// Identifies the credentials files: all realms of the same files share it, even when one follows the other.
  const std::weak_ptr<const void> files_;
  std::atomic<std::chrono::milliseconds::rep> limit_;
  const steady_time since_ = std::chrono::steady_clock::now();
  std::atomic<bool> introduced_ = false;
  std::atomic<bool> held_ = false;
  std::atomic<steady_time::rep> heard_at_;
  mutable std::mutex mutex_;
  int socket_;
  /// The realm of the current users of the connection.
  std::weak_ptr<const realm> realm_;
};

} // namespace troupe::net
