// How a service writes its state into a snapshot and reads it back: item by item.
//
//   item := size u32 | MessagePack of that many bytes
#pragma once

#include "services/msgpack_serializer.hpp"
#include "services/snapshot.hpp"

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace troupe::services {

/// Bytes that are not the state they should be, or a state that cannot be written. The text is for people. A service's
/// `load` may throw it too.
class snapshot_error : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Bytes in one item. Far above any sensible item, and low enough for every node to hold one in memory.
inline constexpr std::size_t max_state_item = 64 * 1024 * 1024;

/// Takes a state's items, and hands them on in large pieces. Used by one thread at a time.
class state_writer final {
 public:
  explicit state_writer(snapshot_sink& to) : to_(to) {}
  state_writer(const state_writer&) = delete;
  state_writer& operator=(const state_writer&) = delete;

  /// Writes anything that the MessagePack serializer takes, nested at most 64 deep. A state that grows is written
  /// element by element, after their number: a container in one item must fit into memory a second time, and throws
  /// `snapshot_error` when it is larger than 64 MiB.
  template <class T> void put(const T& item) {
    const auto begin = begin_item();
    detail::string_sink sink{buffer_};
    detail::packer{sink}.pack(item);
    end_item(begin);
  }

  /// Writes what is still held back. Not for services: who made the writer calls it once, after the last item.
  void finish();

 private:
  std::size_t begin_item();
  void end_item(std::size_t begin);

  snapshot_sink& to_;
  std::string buffer_;
};

/// Gives the items back in the order they were put. Every function throws `snapshot_error` when the bytes are not what
/// is asked for, and what the source throws. Memory is taken as bytes arrive, not as they are announced. Used by one
/// thread at a time.
class state_reader final {
 public:
  explicit state_reader(snapshot_source& from) : from_(from) {}
  state_reader(const state_reader&) = delete;
  state_reader& operator=(const state_reader&) = delete;

  /// The next item, which must be a `T`.
  template <class T> T get() {
    T item{};
    if (!msgpack_serializer::decode(next_item(), item)) fail("an item is not of the type that was asked for");
    return item;
  }

  /// The next item, a format number: throws unless it is 1 to `newest`.
  unsigned get_format(unsigned newest);

  /// Throws if there is anything left. Not for services: who made the reader calls it once, after the last item.
  void finish();

 private:
  /// Valid until the next call.
  std::string_view next_item();
  bool fill(std::size_t size);
  [[noreturn]] void fail(const std::string& why) const;

  snapshot_source& from_;
  std::string buffer_;
  std::size_t at_ = 0;           // what stands before it in `buffer_` was read
  std::uint64_t item_begin_ = 0; // of the item that was read last, in bytes from the state's beginning
  std::uint64_t item_end_ = 0;
};

} // namespace troupe::services
