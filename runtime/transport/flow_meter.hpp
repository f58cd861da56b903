// How much a connection has handed in that the actors have not handled yet. Beyond a bound it is not read any further:
// its other end has to wait, and no mailbox grows with what it sends.
//
//   handed in --> [mailboxes of receivers, and of those they pass it on to] --> handled
//                   behind it, now and then: a token, which ends when everything before it was handled
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>

namespace troupe::net {

/// Travels through the actors behind messages. Its end, in whichever mailbox, says that they were handled.
using flow_token = std::shared_ptr<const void>;

/// What all connections of a process share: each may have the same part of `total` unhandled, but no more than `most`.
struct flow_room {
  std::size_t total = 256 << 20;
  std::size_t most = 8 << 20;
  std::atomic<std::size_t> connections = 0;

  std::size_t share() const noexcept;
};

/// One connection's. `handed`, `is_over` and `hold` are called by the thread that reads the connection; tokens end on
/// any.
class flow_meter : public std::enable_shared_from_this<flow_meter> {
 public:
  using token_sender = std::function<void(const flow_token&)>;

  flow_meter(std::shared_ptr<flow_room> room, token_sender send);
  ~flow_meter();
  flow_meter(const flow_meter&) = delete;

  /// The actors were given so many bytes.
  void handed(std::size_t bytes);
  /// More than its share is unhandled.
  bool is_over() const noexcept { return unhandled_.load(std::memory_order_relaxed) > room_->share(); }
  /// False when reading may go on after all. Else it is to stop until `resume` is called, once, by any thread, soon
  /// after enough was handled.
  bool hold(std::function<void()> resume);

 private:
  class token;
  void send_token();
  void handled(std::size_t bytes);

  std::shared_ptr<flow_room> room_;
  token_sender sender_;
  /// Handed in since the last token.
  std::size_t unmarked_ = 0;
  std::atomic<std::size_t> unhandled_ = 0;
  std::mutex mutex_;
  std::function<void()> resume_;
};

} // namespace troupe::net
