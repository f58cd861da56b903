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
  /// After a temporary error it answers as it did before, and tries again the next time. Throws `file_error` for any
  /// other failure.
  bool prepare();
  /// Turns the spare, made now if need be, into this segment: its header and its name are durable on return. Throws
  /// `file_error` when it fails; the segment may then exist or not, and has no record. After a temporary error it does
  /// not exist, and this may be called again.
  std::unique_ptr<file> become(wal_segment& segment);

 private:
  std::unique_ptr<file> take(std::uint64_t size);
  std::unique_ptr<file> find_or_create();

  file_system& fs_;
  std::filesystem::path directory_;
  std::filesystem::path path_;
  std::uint64_t size_;
  std::unique_ptr<file> file_; // null: there is none
  bool had_room_ = true;
  /// Of the log. Open from the first segment on, so that to go on to the next one takes no new descriptor.
  std::unique_ptr<directory> names_;
};

} // namespace troupe
