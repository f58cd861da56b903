// The bytes of a snapshot file, as docs/log-format.md specifies them. No I/O here.
#pragma once

#include "raft/snapshot.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::snapshot_format {

inline constexpr std::string_view magic = "troupSNP";
inline constexpr std::uint32_t version = 1;
/// Maximum size of the body of the header or of a record. Every block has this size, except the last one of a section.
inline constexpr std::size_t max_body = std::size_t{1} << 20;

/// The beginning of a snapshot file.
struct header {
  raft::cluster_id cluster;
  raft::snapshot_point at;
  friend bool operator==(const header&, const header&) = default;
};

/// Number of bytes needed to determine the size of a header.
inline constexpr std::size_t prefix_size = 16;
inline constexpr std::size_t checksum_size = 8;

/// The whole header, with its checksum at the end.
std::string encode(const header& value);
enum class header_state { valid, bad, other_version };
/// Determines the size of the header that starts with these `prefix_size` bytes. Sets `size` only if it is valid, and
/// `found` to the version if the magic matches.
header_state decode_prefix(std::string_view prefix, std::size_t& size, std::uint32_t& found);
/// The header in exactly these bytes; empty if they are damaged.
std::optional<header> decode(std::string_view bytes);
/// The seed of the checksums of a file's records: the checksum at the end of its header.
std::uint64_t seed_of(std::string_view header_bytes);

enum class record_type : std::uint8_t { section = 1, block = 2, end = 3 };
/// The content of a section. Readers reject unknown kinds, because their content would be lost.
enum class section_kind : std::uint8_t { service = 1 };

inline constexpr std::size_t record_header_size = 16;
/// The bytes before a record's body, for a record at `offset` of a file with this seed.
std::string encode_record_header(record_type type, std::string_view body, std::uint64_t seed, std::uint64_t offset);
/// Type and length of a record, decoded from its first `record_header_size` bytes; empty if no record starts like this.
struct record_head {
  record_type type = record_type::block;
  std::size_t length = 0;
};
std::optional<record_head> decode_record_header(std::string_view bytes);
/// Whether a record (header and body) is undamaged and belongs at this offset.
bool valid(std::string_view head, std::string_view body, std::uint64_t seed, std::uint64_t offset);

/// The totals that the last record repeats.
struct totals {
  std::uint64_t sections = 0;
  std::uint64_t blocks = 0;
  std::uint64_t data = 0;     ///< bytes in blocks
  std::uint64_t size = 0;     ///< of the file
  std::uint64_t checksum = 0; ///< of all bytes before the last record, seed 0
  friend bool operator==(const totals&, const totals&) = default;
};
/// Size of the record that holds the totals.
inline constexpr std::size_t end_size = record_header_size + 40;
std::string encode(const totals& value);
std::optional<totals> decode_totals(std::string_view body);

/// The name of a snapshot's file: its id with ".snapshot" appended. File names sort in the order of positions.
std::string file_name(const raft::snapshot_id& id);
std::optional<raft::snapshot_id> parse_file_name(std::string_view name);

} // namespace troupe::snapshot_format
