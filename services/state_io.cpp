#include <troupe/state_io.hpp>

#include "raft/base/codec.hpp"

#include <algorithm>
#include <span>

namespace troupe {
namespace {

constexpr std::size_t size_of_size = sizeof(std::uint32_t);
constexpr std::size_t piece = 64 * 1024;

} // namespace

std::size_t state_writer::begin_item() {
  const auto begin = buffer_.size();
  buffer_.append(size_of_size, '\0');
  return begin;
}

void state_writer::end_item(std::size_t begin) {
  const auto size = buffer_.size() - begin - size_of_size;
  if (size > max_state_item)
    throw snapshot_error("an item of the state is larger than 64 MiB: write its elements one by one");
  std::string encoded;
  raft::writer(encoded).put(static_cast<std::uint32_t>(size));
  std::copy(encoded.begin(), encoded.end(), buffer_.begin() + static_cast<std::ptrdiff_t>(begin));
  if (buffer_.size() >= piece) finish();
}

void state_writer::finish() {
  if (!buffer_.empty()) to_.write(buffer_);
  buffer_.clear();
}

unsigned state_reader::get_format(unsigned newest) {
  const auto format = get<std::uint64_t>();
  if (format == 0 || format > newest)
    fail("the state has format " + std::to_string(format) + ", but this version of the service knows 1 to " +
         std::to_string(newest));
  return static_cast<unsigned>(format);
}

void state_reader::finish() {
  item_begin_ = item_end_;
  if (fill(1)) fail("the state has more than the service reads");
}

std::string_view state_reader::next_item() {
  item_begin_ = item_end_;
  if (!fill(size_of_size)) fail("the state ends where an item should begin");
  const std::size_t size = raft::reader(std::string_view(buffer_).substr(at_)).get<std::uint32_t>();
  if (size > max_state_item)
    fail("an item is announced with " + std::to_string(size) + " bytes; the maximum is 64 MiB");
  at_ += size_of_size;
  if (!fill(size)) fail("the state ends within an item of " + std::to_string(size) + " bytes");
  const auto item = std::string_view(buffer_).substr(at_, size);
  at_ += size;
  item_end_ += size_of_size + size;
  return item;
}

/// Reads until `size` bytes are in the buffer. Returns false if the state ends before.
bool state_reader::fill(std::size_t size) {
  if (buffer_.size() - at_ >= size) return true;
  buffer_.erase(0, at_);
  at_ = 0;
  while (buffer_.size() < size) {
    const auto held = buffer_.size();
    buffer_.resize(held + piece);
    const auto read = from_.read(std::span(buffer_).subspan(held));
    buffer_.resize(held + read);
    if (read == 0) return false;
  }
  return true;
}

void state_reader::fail(const std::string& why) const {
  throw snapshot_error("at byte " + std::to_string(item_begin_) + " of the state: " + why);
}

} // namespace troupe
