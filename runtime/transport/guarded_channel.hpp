// A channel that hands out only what the frame guard lets through, frame by frame.
#pragma once

#include "runtime/transport/channel.hpp"
#include "runtime/transport/frame_guard.hpp"

#include <functional>
#include <memory>
#include <string>

namespace troupe::net {

/// Told about one connection. All are called by the thread that uses the channel.
struct channel_watcher {
  virtual ~channel_watcher() = default;
  /// Bytes arrived.
  virtual void heard() = 0;
  /// The other end has introduced itself to CAF.
  virtual void introduced() = 0;
  /// A frame was left out that nobody here waits for.
  virtual void dropped() = 0;
  /// The buffer for a frame is to grow (or, negative, to shrink) by so much; false: it must not grow, and does not.
  virtual bool takes(std::ptrdiff_t bytes) = 0;
  /// The other end says it is this node, by CAF's id.
  virtual claim_outcome claim_node(std::string_view node) = 0;
  /// It is not read for a while.
  virtual void held_back() = 0;
  /// The stream ends here, for this reason.
  virtual void violated(incident kind, const std::string& problem) = 0;
};

/// Keeps at most one frame and what arrived with it; its memory grows with what has arrived, not with what was
/// announced.
class guarded_channel : public channel {
 public:
  guarded_channel(std::unique_ptr<channel> raw, side here, std::shared_ptr<const guard_options> options,
                  std::shared_ptr<channel_watcher> watcher);

  ~guarded_channel() override;

  transfer read(char* to, std::size_t size) override;
  transfer write(const char* from, std::size_t size) override { return raw_->write(from, size); }
  bool holds_bytes() const override { return cleared_ > 0 || broken_ || raw_->holds_bytes(); }

 private:
  /// True when bytes are cleared for the reader; false when more are needed, or after a violation.
  bool clear_next();
  flow fill();
  bool resize(std::size_t size);
  void violate(incident kind, const std::string& problem);

  std::unique_ptr<channel> raw_;
  std::shared_ptr<const guard_options> options_;
  std::shared_ptr<channel_watcher> watcher_;
  frame_guard guard_;
  std::string buffer_;
  /// What in the buffer is not handed out yet: [begin_, end_).
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  /// Of these, the rest of a frame that passed.
  std::size_t cleared_ = 0;
  /// The size of the frame that is being collected; 0 before its header is here.
  std::size_t frame_ = 0;
  bool introduced_ = false;
  bool broken_ = false;
};

} // namespace troupe::net
