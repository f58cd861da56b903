// The bytes of the write-ahead log, as docs/log-format.md specifies them. No I/O here.
#pragma once

#include "raft/storage.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::wal_format {

/// The version that this program writes. Version 1 has no reset records; it can still be read.
inline constexpr std::uint32_t version = 2;
/// Size of an encoded header. It is written at offset 0 and fits one disk sector.
inline constexpr std::size_t header_size = 96;
/// Offset of a segment's first record. The header has a page of its own, so no later write touches that page.
inline constexpr std::uint64_t first_record = 4096;
/// Records start at multiples of this offset.
inline constexpr std::size_t alignment = 8;
/// Size of a record's header, which precedes its body.
inline constexpr std::size_t record_header_size = 24;
/// Maximum size of one entry's data.
inline constexpr std::size_t max_data = std::size_t{1} << 30;

/// The beginning of a segment. Records the state of the log when the segment was created.
struct segment_header {
  std::uint32_t format = version;
  std::uint64_t sequence = 0;     ///< also the file's name
  std::uint64_t unique = 0;       ///< random; seeds the checksums of this segment's records
  raft::index_t first_index = 0;  ///< last index before this segment, plus one
  raft::term_t previous_term = 0; ///< term of the entry at first_index - 1
  std::uint64_t first_batch = 0;  ///< number of the first batch in this segment
  raft::hard_state hard;          ///< term and vote when this segment was created
  std::uint64_t previous_end = 0; ///< end offset of the last record in the previous segment; 0 in segment 1
  std::uint64_t capacity = 0;     ///< size of the file, fully preallocated
  friend bool operator==(const segment_header&, const segment_header&) = default;
};

std::string encode(const segment_header& header);

enum class header_state { valid, bad, other_version };
/// Decodes a header from a segment's first bytes. Sets `out` only if it is valid, and only `out.format` if the version
/// is unknown.
header_state decode(std::string_view bytes, segment_header& out);

enum class record_type : std::uint8_t { entry = 1, truncate = 2, hard_state = 3, reset = 4 };

/// A decoded record.
struct record {
  record_type type = record_type::entry;
  std::uint8_t kind = 0;         ///< of an entry
  bool ends_batch = false;       ///< whether it is the last record of its batch
  std::uint64_t batch = 0;       ///< number of the batch; everything written between two syncs is one batch
  std::string_view body;         ///< points into the bytes that were parsed
  std::uint64_t stored_size = 0; ///< including header and padding
};

/// Encoded size of an entry with this much data.
std::size_t entry_size(std::size_t data_size);
/// Encoded size of everything in `change`.
std::size_t encoded_size(const raft::write& change);

/// Append a record to a batch. `seal` sets the checksum later, because it depends on the offset of the batch.
void put(std::string& batch_bytes, std::uint64_t batch, const raft::entry& value);
void put_truncate(std::string& batch_bytes, std::uint64_t batch, raft::index_t from);
void put(std::string& batch_bytes, std::uint64_t batch, const raft::hard_state& value);
void put_reset(std::string& batch_bytes, std::uint64_t batch, const raft::log_position& start);
/// Marks the last record as the batch's end and sets all checksums, for a batch at `offset` of the segment with this
/// unique number.
void seal(std::string& batch_bytes, std::uint64_t unique, std::uint64_t offset);

/// The size that the record header in `bytes` claims; empty if no record starts like this. `bytes` has at least
/// `record_header_size` bytes.
std::optional<std::uint64_t> claimed_size(std::string_view bytes);
/// The record at `offset` of the segment; empty if it is not valid there. `bytes` starts at the record.
std::optional<record> parse(std::string_view bytes, std::uint64_t unique, std::uint64_t offset);
/// The record that starts with these bytes and has no checksum from `seal` yet.
std::optional<record> parse_unsealed(std::string_view bytes);

/// The index, term and data of an entry record. The data points into the record's body.
struct entry_body {
  raft::index_t index = 0;
  raft::term_t term = 0;
  std::string_view data;
};
entry_body decode_entry(const record& from);
raft::index_t decode_truncate(const record& from);
raft::hard_state decode_hard_state(const record& from);
raft::log_position decode_reset(const record& from);

/// Format and parse a segment's file name, such as "0000000000000001.wal".
std::string segment_name(std::uint64_t sequence);
std::optional<std::uint64_t> parse_segment_name(std::string_view name);

} // namespace troupe::wal_format
