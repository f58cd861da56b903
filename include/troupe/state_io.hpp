// How a service writes its state into a snapshot and reads it back, item by item.
//
//   item := size u32 | MessagePack of that many bytes
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <troupe/detail/snapshot.hpp>
#include <troupe/msgpack_serializer.hpp>

namespace troupe {

/// The bytes are not the expected state, or a state cannot be written. `what()` is human-readable. A service's `load`
/// may throw it too.
class snapshot_error : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The largest item, in bytes: far above any sensible one, and small enough for every node to hold it in memory.
inline constexpr std::size_t max_state_item = 64 * 1024 * 1024;

/// Writes the items of a state, and passes them on in large pieces. Not thread-safe.
class state_writer final {
 public:
  explicit state_writer(detail::snapshot_sink& to) : to_(to) {}
  state_writer(const state_writer&) = delete;
  state_writer& operator=(const state_writer&) = delete;

  /// Writes one item: anything that the MessagePack serializer takes, nested at most 64 deep. Write a container that
  /// grows as its size followed by its elements, one item each: a container in one item needs its memory twice. Throws
  /// `snapshot_error` for an item of more than 64 MiB.
  template <class T> void put(const T& item) {
    const auto begin = begin_item();
    detail::string_sink sink{buffer_};
    detail::packer{sink}.pack(item);
    end_item(begin);
  }

  /// Writes what is still buffered. Not for services: the owner of the writer calls it once, after the last item.
  void finish();

 private:
  std::size_t begin_item();
  void end_item(std::size_t begin);

  detail::snapshot_sink& to_;
  std::string buffer_;
};

/// Returns the items in the order in which they were written. Every function throws `snapshot_error` when the bytes are
/// not what was asked for, and whatever the source throws. Memory grows with the bytes that arrive, not with the size
/// that they announce. Not thread-safe.
class state_reader final {
 public:
  explicit state_reader(detail::snapshot_source& from) : from_(from) {}
  state_reader(const state_reader&) = delete;
  state_reader& operator=(const state_reader&) = delete;

  /// Returns the next item, which must be a `T`.
  template <class T> T get() {
    T item{};
    if (!msgpack_serializer::decode(next_item(), item)) fail("an item is not of the type that was asked for");
    return item;
  }

  /// Returns the next item, a format number. Throws unless it is between 1 and `newest`.
  unsigned get_format(unsigned newest);

  /// Throws if anything is left. Not for services: the owner of the reader calls it once, after the last item.
  void finish();

 private:
  /// Valid until the next call.
  std::string_view next_item();
  bool fill(std::size_t size);
  [[noreturn]] void fail(const std::string& why) const;

  detail::snapshot_source& from_;
  std::string buffer_;
  std::size_t at_ = 0;           // everything before it in `buffer_` was read
  std::uint64_t item_begin_ = 0; // the item that was read last, in bytes from the state's beginning
  std::uint64_t item_end_ = 0;
};

} // namespace troupe
