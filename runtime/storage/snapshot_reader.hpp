// Reads a whole snapshot file and checks every byte of it.
#pragma once

#include "runtime/storage/checksum.hpp"
#include "runtime/storage/file_system.hpp"
#include "runtime/storage/snapshot_format.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// How error messages refer to a snapshot file.
enum class file_role { snapshot, backup };

/// Holds one block in memory at a time. Every function throws `damage_error` if the file is damaged, and
/// `storage_error` for a version or a kind of section that this program does not support. Not thread-safe.
class snapshot_reader {
 public:
  /// Reads the header. `fs` must outlive the reader.
  snapshot_reader(file_system& fs, std::filesystem::path path, file_role role = file_role::snapshot);

  const snapshot_format::header& header() const noexcept { return header_; }

  /// Advances to the next section, checking the rest of the current one. Returns false at the end; the whole file was
  /// then read and is undamaged.
  bool next_section();
  /// The service to which the section's bytes belong.
  const std::string& section() const noexcept { return section_; }
  /// Reads the section's bytes in order. Returns the number of bytes read, 0 at the end of the section.
  std::size_t read(std::span<char> into);

  /// Valid after `next_section` has returned false.
  raft::snapshot_id id() const noexcept { return {header_.at.last, totals_.size, totals_.checksum}; }

  /// The id according to the file's last record. The records in between are not read.
  raft::snapshot_id announced_id();

 private:
  void read_header();
  /// Reads the record at `offset_` into `head_` and `body_`.
  void read_record();
  bool next_block();
  void begin_section();
  void check_end();
  [[noreturn]] void damaged(const std::string& what, std::uint64_t offset) const;
  [[noreturn]] void incomplete(std::uint64_t offset) const;
  const char* role() const;
  std::string read_exactly(std::uint64_t offset, std::size_t size);

  std::filesystem::path path_;
  file_role role_;
  std::unique_ptr<file> source_;
  snapshot_format::header header_;
  std::uint64_t seed_ = 0;
  std::uint64_t record_at_ = 0; // offset of the record that was read last
  std::uint64_t offset_ = 0;    // end of that record
  running_checksum sum_;        // of everything up to offset_
  snapshot_format::totals totals_;

  snapshot_format::record_head head_;
  std::string body_;
  std::string_view left_; // unread part of body_ if it is a block
  std::string section_;
  std::set<std::string> sections_; // all names so far
  bool in_section_ = false;
};

/// The content of a snapshot file.
struct snapshot_summary {
  struct section {
    std::string service;
    std::uint64_t bytes = 0;
    friend bool operator==(const section&, const section&) = default;
  };
  snapshot_format::header header;
  raft::snapshot_id id;
  std::vector<section> sections;
};

/// Reads and checks a whole snapshot file, with any path and name. Throws the errors of `snapshot_reader`, and
/// `reading_stopped` when a stop is requested.
snapshot_summary verify_snapshot(file_system& fs, const std::filesystem::path& path,
                                 file_role role = file_role::snapshot, const std::stop_token& stop = {});

} // namespace troupe
