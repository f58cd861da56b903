// The bytes of the write-ahead log, as docs/log-format.md specifies them. No I/O here.
#pragma once

#include "raft/storage.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::wal_format {

/// What this program writes. Version 1 has no reset records and is read as it is.
inline constexpr std::uint32_t version = 2;
/// Bytes of an encoded header. It is written at offset 0 and fits one disk sector.
inline constexpr std::size_t header_size = 96;
/// Where a segment's records begin; the header has its page for itself, so no later write touches that page.
inline constexpr std::uint64_t first_record = 4096;
/// Records start at multiples of this.
inline constexpr std::size_t alignment = 8;
/// Bytes before a record's body.
inline constexpr std::size_t record_header_size = 24;
/// The longest data of one entry.
inline constexpr std::size_t max_data = std::size_t{1} << 30;

/// Opens a segment, and says what the log was when the segment began.
struct segment_header {
  std::uint32_t format = version;
  std::uint64_t sequence = 0;     ///< also the file's name
  std::uint64_t unique = 0;       ///< random; seeds the checksums of this segment's records
  raft::index_t first_index = 0;  ///< last index before this segment, plus one
  raft::term_t previous_term = 0; ///< term of the entry at first_index - 1
  std::uint64_t first_batch = 0;  ///< number of the batch that this segment begins with
  raft::hard_state hard;          ///< term and vote when this segment began
  std::uint64_t previous_end = 0; ///< offset behind the last record of the segment before; 0 in segment 1
  std::uint64_t capacity = 0;     ///< bytes of the file, all of them preallocated
  friend bool operator==(const segment_header&, const segment_header&) = default;
};

std::string encode(const segment_header& header);

enum class header_state { valid, bad, other_version };
/// Reads a header from a segment's first bytes. `out` is set only when it is valid, and `out.format` when the version
/// is unknown.
header_state decode(std::string_view bytes, segment_header& out);

enum class record_type : std::uint8_t { entry = 1, truncate = 2, hard_state = 3, reset = 4 };

/// A record that was checked.
struct record {
  record_type type = record_type::entry;
  std::uint8_t kind = 0;         ///< of an entry
  bool ends_batch = false;       ///< the last record of its batch
  std::uint64_t batch = 0;       ///< what is written between two syncs has one number
  std::string_view body;         ///< points into the bytes that were parsed
  std::uint64_t stored_size = 0; ///< with header and padding
};

/// Bytes that an entry with this much data takes.
std::size_t entry_size(std::size_t data_size);
/// Bytes that everything in `change` takes.
std::size_t encoded_size(const raft::write& change);

/// Append a record to a batch. Its checksum is left out until `seal`, because it depends on where the batch will go.
void put(std::string& batch_bytes, std::uint64_t batch, const raft::entry& value);
void put_truncate(std::string& batch_bytes, std::uint64_t batch, raft::index_t from);
void put(std::string& batch_bytes, std::uint64_t batch, const raft::hard_state& value);
void put_reset(std::string& batch_bytes, std::uint64_t batch, const raft::log_position& start);
/// Marks the last record as the batch's end and fills in all checksums, for a batch that will stand at `offset` of the
/// segment with this unique number.
void seal(std::string& batch_bytes, std::uint64_t unique, std::uint64_t offset);

/// The size of the record that starts with these bytes, as it says itself; nothing when no record starts so.
/// `bytes` holds at least `record_header_size` bytes.
std::optional<std::uint64_t> claimed_size(std::string_view bytes);
/// The record at `offset` of the segment; nothing when it is not valid there. `bytes` starts at the record.
std::optional<record> parse(std::string_view bytes, std::uint64_t unique, std::uint64_t offset);
/// The record that starts with these bytes, before `seal` gave it a checksum.
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

/// "0000000000000001.wal", and back.
std::string segment_name(std::uint64_t sequence);
std::optional<std::uint64_t> parse_segment_name(std::string_view name);

} // namespace troupe::wal_format
