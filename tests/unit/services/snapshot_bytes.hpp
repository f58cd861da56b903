// Snapshot bytes in memory, for tests.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <troupe/detail/machine.hpp>
#include <troupe/detail/snapshot.hpp>
#include <utility>

namespace troupe::test {

struct bytes_sink : detail::snapshot_sink {
  std::string bytes;
  void write(std::string_view more) override { bytes += more; }
};

/// Returns at most `most` bytes per read.
class bytes_source : public detail::snapshot_source {
 public:
  explicit bytes_source(std::string bytes, std::size_t most = SIZE_MAX) : bytes_(std::move(bytes)), most_(most) {}
  std::size_t read(std::span<char> into) override {
    largest_ = std::max(largest_, into.size());
    const auto size = bytes_.copy(into.data(), std::min(into.size(), most_), at_);
    at_ += size;
    return size;
  }
  /// The largest size requested by one read.
  std::size_t largest() const { return largest_; }

 private:
  std::string bytes_;
  std::size_t at_ = 0, most_, largest_ = 0;
};

inline std::string saved(const detail::machine_view& view) {
  bytes_sink to;
  view.save(to);
  return to.bytes;
}

} // namespace troupe::test
