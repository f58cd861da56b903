#include "runtime/storage/wal_segment.hpp"

#include <algorithm>

namespace troupe {
namespace {

constexpr std::uint64_t window_size = 256 * 1024;

/// Compares the bytes with themselves, shifted by one. This runs at memory speed, which matters for a whole empty
/// segment.
bool all_zero(std::string_view bytes) {
  return bytes[0] == '\0' && bytes.substr(1) == bytes.substr(0, bytes.size() - 1);
}

} // namespace

std::string_view record_reader::window(std::uint64_t offset, std::uint64_t size) {
  size = std::min(size, segment_.header.capacity - std::min(offset, segment_.header.capacity));
  if (offset < begin_ || offset + size > begin_ + buffer_.size()) {
    const auto left = segment_.header.capacity - std::min(offset, segment_.header.capacity);
    buffer_.resize(std::min(left, std::max(size, window_size)));
    begin_ = offset;
    buffer_.resize(source_.read(offset, buffer_));
  }
  return std::string_view{buffer_}.substr(std::min<std::uint64_t>(offset - begin_, buffer_.size()));
}

std::optional<wal_format::record> record_reader::at(std::uint64_t offset) {
  const auto head = window(offset, wal_format::record_header_size);
  if (head.size() < wal_format::record_header_size) return {};
  const auto size = wal_format::claimed_size(head);
  if (!size || *size > segment_.header.capacity - offset) return {};
  return wal_format::parse(window(offset, *size), segment_.header.unique, offset);
}

std::uint64_t record_reader::next_nonzero(std::uint64_t offset) {
  while (offset < segment_.header.capacity) {
    const auto part = window(offset, wal_format::alignment);
    if (part.empty()) break;
    const auto found = all_zero(part) ? std::string_view::npos : part.find_first_not_of('\0');
    if (found != std::string_view::npos) return offset + found / wal_format::alignment * wal_format::alignment;
    offset += part.size();
  }
  return segment_.header.capacity;
}

} // namespace troupe
