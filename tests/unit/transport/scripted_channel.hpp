// A channel that hands out what a test wrote down for it.
#pragma once

#include "runtime/transport/channel.hpp"

#include <algorithm>
#include <cstring>
#include <deque>
#include <string>
#include <utility>

namespace troupe::net::testing {

/// One step of the script: a read gets at most these bytes, and what it leaves is left for the next; without bytes it
/// gets `then`.
struct scripted {
  std::string bytes;
  flow then = flow::again;
};

/// Closed after its last step.
class scripted_channel : public channel {
 public:
  explicit scripted_channel(std::deque<scripted> steps) : steps_(std::move(steps)) {}

  transfer read(char* to, std::size_t size) override {
    if (steps_.empty()) return {flow::closed, 0};
    auto& step = steps_.front();
    if (step.bytes.empty()) {
      const auto then = step.then;
      steps_.pop_front();
      return {then, 0};
    }
    const auto given = std::min(size, step.bytes.size() - taken_);
    std::memcpy(to, step.bytes.data() + taken_, given);
    taken_ += given;
    delivered_ += given;
    ++reads_;
    if (taken_ == step.bytes.size()) {
      taken_ = 0;
      steps_.pop_front();
    }
    return {flow::moved, given};
  }
  transfer write(const char* from, std::size_t size) override {
    written_.append(from, size);
    return {flow::moved, size};
  }
  /// Like TLS: a step is a record, of which the socket says nothing any more once it is begun.
  bool holds_bytes() const override { return taken_ > 0; }

  bool finished() const { return steps_.empty(); }
  std::size_t delivered() const { return delivered_; }
  /// Those that brought something.
  std::size_t reads() const { return reads_; }
  const std::string& written() const { return written_; }

 private:
  std::deque<scripted> steps_;
  /// Of the first step.
  std::size_t taken_ = 0;
  std::size_t delivered_ = 0;
  std::size_t reads_ = 0;
  std::string written_;
};

} // namespace troupe::net::testing
