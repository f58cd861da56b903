// A channel that returns only the frames that the frame guard passes.
#pragma once

#include "runtime/transport/channel.hpp"
#include "runtime/transport/frame_guard.hpp"

#include <functional>
#include <memory>
#include <string>

namespace troupe::net {

/// Receives the events of one connection. All functions are called by the thread that uses the channel.
struct channel_watcher {
  virtual ~channel_watcher() = default;
  /// Bytes arrived.
  virtual void heard() = 0;
  /// The other end has introduced itself to CAF.
  virtual void introduced() = 0;
  /// A frame that no actor here expects was skipped.
  virtual void dropped() = 0;
  /// The buffer for frames is about to grow (or, if negative, shrink) by `bytes`. If this returns false, it does not
  /// grow.
  virtual bool takes(std::ptrdiff_t bytes) = 0;
  /// The other end claims to be this node, by CAF's id.
  virtual claim_outcome claim_node(std::string_view node) = 0;
  /// Reading stops for a while.
  virtual void held_back() = 0;
  /// A violation ends the stream, for this reason.
  virtual void violated(incident kind, const std::string& problem) = 0;
};

/// Buffers at most one frame and what arrived with it. Its memory grows with the bytes that arrived, not with an
/// announced size.
class guarded_channel : public channel {
 public:
  guarded_channel(std::unique_ptr<channel> raw, side here, std::shared_ptr<const guard_options> options,
                  std::shared_ptr<channel_watcher> watcher);

  ~guarded_channel() override;

  transfer read(char* to, std::size_t size) override;
  transfer write(const char* from, std::size_t size) override { return raw_->write(from, size); }
  bool holds_bytes() const override { return cleared_ > 0 || broken_ || raw_->holds_bytes(); }

 private:
  /// True if bytes are cleared for the reader. False if more bytes are needed, or after a violation.
  bool clear_next();
  flow fill();
  bool resize(std::size_t size);
  void violate(incident kind, const std::string& problem);

  std::unique_ptr<channel> raw_;
  std::shared_ptr<const guard_options> options_;
  std::shared_ptr<channel_watcher> watcher_;
  frame_guard guard_;
  std::string buffer_;
  /// The range of the buffer that `read` has not returned yet: [begin_, end_).
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  /// The part of that range that belongs to a frame that passed.
  std::size_t cleared_ = 0;
  /// The size of the frame that is being collected. 0 until its header has arrived.
  std::size_t frame_ = 0;
  bool introduced_ = false;
  bool broken_ = false;
};

} // namespace troupe::net
