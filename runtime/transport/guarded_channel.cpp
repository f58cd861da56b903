#include "runtime/transport/guarded_channel.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace troupe::net {
namespace {

constexpr std::size_t smallest_buffer = 16 * 1024;
constexpr std::size_t usual_buffer = 64 * 1024;
/// A buffer that grew beyond this for one frame shrinks after it.
constexpr std::size_t kept_buffer = 256 * 1024;
/// Reads in a row that may yield nothing for the reader before other connections get their turn.
constexpr int max_fruitless_reads = 16;

} // namespace

guarded_channel::guarded_channel(std::unique_ptr<channel> raw, side here, std::shared_ptr<const guard_options> options,
                                 std::shared_ptr<channel_watcher> watcher)
    : raw_(std::move(raw)), options_(std::move(options)), watcher_(std::move(watcher)),
      guard_(here, *options_, [this](std::string_view node) { return watcher_->claim_node(node); }) {}

guarded_channel::~guarded_channel() { resize(0); }

transfer guarded_channel::read(char* to, std::size_t size) {
  for (int reads = 0; !clear_next(); ++reads) {
    if (broken_) return {flow::closed, 0};
    // The socket does not become readable for bytes that the raw channel holds.
    if (reads >= max_fruitless_reads && !raw_->holds_bytes()) return {flow::again, 0};
    if (const auto state = fill(); state != flow::moved) return {state, 0};
  }
  const auto given = std::min(size, cleared_);
  std::memcpy(to, buffer_.data() + begin_, given);
  begin_ += given;
  cleared_ -= given;
  // Nor does it for a frame that arrived with this one, so `holds_bytes` must count it.
  if (cleared_ == 0) clear_next();
  return {flow::moved, given};
}

bool guarded_channel::clear_next() {
  while (cleared_ == 0 && !broken_) {
    const std::string_view waiting{buffer_.data() + begin_, end_ - begin_};
    if (frame_ == 0) {
      if (waiting.size() < frame_guard::header_size) return false;
      frame_ = guard_.frame_size(waiting.substr(0, frame_guard::header_size));
      if (frame_ == 0) {
        violate(guard_.kind(), guard_.problem());
        return false;
      }
    }
    if (waiting.size() < frame_) return false;
    const auto size = std::exchange(frame_, 0);
    switch (guard_.judge(waiting.substr(0, size))) {
    case verdict::pass:
      cleared_ = size;
      if (!std::exchange(introduced_, true)) watcher_->introduced();
      break;
    case verdict::drop:
      watcher_->dropped();
      [[fallthrough]];
    case verdict::ignore:
      begin_ += size;
      break;
    case verdict::violation:
      violate(guard_.kind(), guard_.problem());
    }
  }
  return cleared_ > 0;
}

/// Precondition: no bytes are cleared.
flow guarded_channel::fill() {
  if (begin_ == end_) {
    begin_ = end_ = 0;
    if (buffer_.size() > kept_buffer) resize(usual_buffer);
  }
  const auto wanted = std::max(frame_, frame_guard::header_size);
  if (end_ == buffer_.size() || begin_ + wanted > buffer_.size()) {
    // First use the room at the front. Then double the buffer, up to the frame's size or the usual size.
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= std::exchange(begin_, 0);
    const auto larger = std::max(smallest_buffer, std::min(2 * buffer_.size(), std::max(usual_buffer, frame_)));
    if (end_ == buffer_.size() && !resize(larger)) {
      violate(incident::cut_for_memory, "the unfinished frames of all connections together take too much memory");
      return flow::closed;
    }
  }
  const auto got = raw_->read(buffer_.data() + end_, buffer_.size() - end_);
  if (got.state == flow::moved) {
    end_ += got.bytes;
    watcher_->heard();
  }
  return got.state;
}

bool guarded_channel::resize(std::size_t size) {
  if (!watcher_->takes(static_cast<std::ptrdiff_t>(size) - static_cast<std::ptrdiff_t>(buffer_.size()))) return false;
  const bool shrinks = size < buffer_.size();
  buffer_.resize(size);
  if (shrinks) buffer_.shrink_to_fit();
  return true;
}

void guarded_channel::violate(incident kind, const std::string& problem) {
  broken_ = true;
  watcher_->violated(kind, problem);
}

} // namespace troupe::net
