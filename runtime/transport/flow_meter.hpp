// Measures how many bytes of a connection the actors have received but not handled yet. Above a limit the connection is
// not read: the other end has to wait, and mailboxes stay bounded.
//
//   received --> [mailboxes of receivers, and of the actors to which they forward] --> handled
//                  from time to time a token follows; it ends when everything before it is handled
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>

namespace troupe::net {

/// Follows messages through the actors. Its destruction, in whichever mailbox, means that the messages were handled.
using flow_token = std::shared_ptr<const void>;

/// The limit that all connections of an actor system share: each may have an equal part of `total` unhandled, but at
/// most `most`. In bytes.
struct flow_room {
  std::size_t total = 256 << 20;
  std::size_t most = 8 << 20;
  std::atomic<std::size_t> connections = 0;

  std::size_t share() const noexcept;
};

/// The meter of one connection. `handed`, `is_over` and `hold` are for the thread that reads the connection. Tokens may
/// end on any thread.
class flow_meter : public std::enable_shared_from_this<flow_meter> {
 public:
  using token_sender = std::function<void(const flow_token&)>;

  flow_meter(std::shared_ptr<flow_room> room, token_sender send);
  ~flow_meter();
  flow_meter(const flow_meter&) = delete;

  /// Records that the actors were given this many bytes.
  void handed(std::size_t bytes);
  /// True if more than the connection's share is unhandled.
  bool is_over() const noexcept { return unhandled_.load(std::memory_order_relaxed) > room_->share(); }
  /// Returns false if reading may continue after all. Otherwise the caller stops reading until `resume` is called:
  /// once, by any thread, soon after enough was handled.
  bool hold(std::function<void()> resume);

 private:
  class token;
  void send_token();
  void handled(std::size_t bytes);

  std::shared_ptr<flow_room> room_;
  token_sender sender_;
  /// Bytes received since the last token.
  std::size_t unmarked_ = 0;
  std::atomic<std::size_t> unhandled_ = 0;
  std::mutex mutex_;
  std::function<void()> resume_;
};

} // namespace troupe::net
