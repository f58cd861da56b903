// Opens a log: replays its segments, distinguishes a torn tail from damage, and makes sure that everything read is on
// disk.
#pragma once

#include "runtime/storage/damage.hpp"
#include "runtime/storage/log_shape.hpp"
#include "runtime/storage/wal_segment.hpp"
#include "runtime/storage/wal_spare.hpp"

#include <cstdint>
#include <deque>
#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

namespace troupe {

struct wal_options {
  /// Size of a segment file in bytes, preallocated. A larger batch gets a larger segment.
  std::uint64_t segment_size = std::uint64_t{64} << 20;
  /// Bytes at the end of each segment that entries must leave free, so that a full disk does not stop voting. A term or
  /// vote takes 40 bytes.
  std::uint64_t reserve = std::uint64_t{1} << 20;
  /// A write past the end of all earlier writes is extended by this many zero bytes. A sync after a write into new
  /// blocks also has to mark them as written, which costs about as much again.
  std::uint64_t zero_ahead = 256 * 1024;
};

/// Why these options are invalid; empty if they are valid.
std::string objection(const wal_options& options);

/// The location of an entry's record. Takes 12 bytes for each entry of the log.
struct wal_location {
  std::uint32_t segment = 0;   ///< lower half of the sequence number; the oldest segments are dropped, so it is unique
  std::uint32_t position = 0;  ///< offset in units of wal_format::alignment
  std::uint32_t data_size = 0; ///< size of the entry's data in bytes
};

/// The state of a log between two batches. The header of a segment that begins there repeats it.
struct log_point {
  raft::hard_state hard;
  raft::index_t last_index = 0;
  raft::term_t last_term = 0;
  std::uint64_t next_batch = 1;
};

/// In-memory description of a log on disk. There is always at least one segment; appends go to the last one.
struct wal_state {
  raft::hard_state hard;
  log_shape shape;
  std::deque<wal_location> locations; // locations[i] is that of entry shape.start().index + 1 + i
  std::deque<wal_segment> segments;   // sequence numbers increase by one
  std::unique_ptr<file> current;      // the last segment
  std::uint64_t next_batch = 1;
  std::uint64_t reset_in = 0; // sequence number of the segment with the last reset, 0 for none

  const wal_location& location(raft::index_t index) const { return locations[index - shape.start().index - 1]; }
  /// The segment of a location whose record is on disk.
  const wal_segment& segment_of(const wal_location& at) const {
    return segments[at.segment - static_cast<std::uint32_t>(segments.front().header.sequence)];
  }
  log_point point() const { return {hard, shape.last_index(), shape.last_term(), next_batch}; }
};

/// Reads the log in `directory`, or creates one with `spare` as its first segment. On return everything that
/// `wal_state` describes is on disk, and the space after it is zero. Adds messages for an operator to `notes`. Throws
/// `storage_error` for damage, naming the file, the offset and the command that repairs it. Throws `reading_stopped`
/// soon after a stop is requested, and then leaves the log unchanged.
wal_state recover_wal(file_system& fs, const std::filesystem::path& directory, const wal_options& options,
                      wal_spare& spare, std::vector<std::string>& notes, const std::stop_token& stop = {});

/// The header of a segment that begins at `start` and follows the segment `before` (null if there is none).
wal_format::segment_header next_header(const log_point& start, const wal_segment* before, std::uint64_t unique,
                                       std::uint64_t capacity);

/// The error for a segment with invalid content at `offset`.
damage_error damage(const wal_segment& segment, std::uint64_t offset, const std::string& what);

} // namespace troupe
