// One file of the log.
#pragma once

#include "runtime/storage/file_system.hpp"
#include "runtime/storage/wal_format.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace troupe {

struct wal_segment {
  std::filesystem::path path;
  wal_format::segment_header header;
  std::uint64_t end = wal_format::first_record; ///< end offset of the last record
};

/// Reads a segment's records through a window, so that a large segment needs little memory. Not thread-safe.
class record_reader {
 public:
  record_reader(file& source, const wal_segment& segment) : source_(source), segment_(segment) {}

  /// The record at this offset, if there is a valid one. It points into the window: use it before the next call.
  std::optional<wal_format::record> at(std::uint64_t offset);
  /// The first multiple of eight from `offset` on at which the eight bytes are not all zero; the capacity if there is
  /// none.
  std::uint64_t next_nonzero(std::uint64_t offset);

 private:
  /// The bytes from `offset` on: at least `size` of them, possibly more, unless the file ends before.
  std::string_view window(std::uint64_t offset, std::uint64_t size);

  file& source_;
  const wal_segment& segment_;
  std::string buffer_;
  std::uint64_t begin_ = 0; // offset of buffer_ in the file
};

} // namespace troupe
