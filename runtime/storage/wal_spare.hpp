// The log's next segment, made ahead of time: a new segment then costs no preallocation, and a full disk is noticed one
// segment early.
#pragma once

#include "runtime/storage/wal_segment.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>

namespace troupe {

/// A preallocated file without a place in the log. It waits under a name of its own, which recovery does not look at.
/// One thread at a time.
class wal_spare {
 public:
  /// `fs` must outlive the object. `size` is what a segment usually takes.
  wal_spare(file_system& fs, const std::filesystem::path& directory, std::uint64_t size);

  /// Makes the spare unless there is one; one that an earlier process left is taken over. False when the disk is full.
  /// Throws `file_error` for any other failure.
  bool prepare();
  /// Turns the spare, made now if need be, into this segment: its header and its name are durable on return. Throws
  /// `file_error` when it fails; the segment may then exist or not, and has no record.
  std::unique_ptr<file> become(wal_segment& segment);

 private:
  std::unique_ptr<file> take(std::uint64_t size);
  std::unique_ptr<file> find_or_create();

  file_system& fs_;
  std::filesystem::path path_;
  std::uint64_t size_;
  std::unique_ptr<file> file_; // null: there is none
};

} // namespace troupe
