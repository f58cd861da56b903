// A channel that returns the steps of a test's script.
#pragma once

#include "runtime/transport/channel.hpp"

#include <algorithm>
#include <deque>
#include <string>
#include <utility>

namespace troupe::net::testing {

/// One step of the script. A read gets at most these bytes, and the rest is left for the next read. Without bytes it
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
    std::copy_n(step.bytes.data() + taken_, given, to);
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
  /// Like TLS: a step is a record. Once its first bytes are read, the socket does not report the rest.
  bool holds_bytes() const override { return taken_ > 0; }

  bool finished() const { return steps_.empty(); }
  std::size_t delivered() const { return delivered_; }
  /// Reads that returned bytes.
  std::size_t reads() const { return reads_; }
  const std::string& written() const { return written_; }

 private:
  std::deque<scripted> steps_;
  /// Bytes of the first step that were read.
  std::size_t taken_ = 0;
  std::size_t delivered_ = 0;
  std::size_t reads_ = 0;
  std::string written_;
};

} // namespace troupe::net::testing
