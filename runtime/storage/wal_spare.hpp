// The log's next segment, created in advance: a new segment then needs no preallocation, and a full disk is detected
// one segment early.
#pragma once

#include "runtime/storage/wal_segment.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>

namespace troupe {

/// A preallocated file that is not part of the log yet. It has its own name, which recovery ignores. Not thread-safe.
class wal_spare {
 public:
  /// `fs` must outlive the object. `size` is the usual size of a segment.
  wal_spare(file_system& fs, const std::filesystem::path& directory, std::uint64_t size);

  /// Creates the spare unless there is one; reuses one that an earlier process left. Returns false if the disk is full.
  /// After a temporary error it returns the previous result and tries again the next time. Throws `file_error` for any
  /// other failure.
  bool prepare();
  /// Turns the spare, created now if necessary, into this segment. Its header and its name are durable on return.
  /// Throws `file_error` when it fails; the segment may then exist or not, and has no record. After a temporary error
  /// it does not exist, and this function may be called again.
  std::unique_ptr<file> become(wal_segment& segment);

 private:
  std::unique_ptr<file> take(std::uint64_t size);
  std::unique_ptr<file> find_or_create();

  file_system& fs_;
  std::filesystem::path directory_;
  std::filesystem::path path_;
  std::uint64_t size_;
  std::unique_ptr<file> file_; // null if there is none
  bool had_room_ = true;
  /// The log's directory. Remains open from the first segment on, so that moving to the next segment needs no new
  /// descriptor.
  std::unique_ptr<directory> names_;
};

} // namespace troupe
