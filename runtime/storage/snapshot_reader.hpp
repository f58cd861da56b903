// Reads a snapshot file from end to end and checks every byte of it.
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

/// What the errors about a snapshot file call it.
enum class file_role { snapshot, backup };

/// Holds one block in memory at a time. Every function throws `damage_error` where the file is not as it was written,
/// and `storage_error` for a version or a kind of section that this program does not know. One thread at a time.
class snapshot_reader {
 public:
  /// Reads the header. `fs` must outlive the reader.
  snapshot_reader(file_system& fs, std::filesystem::path path, file_role role = file_role::snapshot);

  const snapshot_format::header& header() const noexcept { return header_; }

  /// Goes on to the next section, checking what is left of the one before. False at the end: then all of the file was
  /// read and is good.
  bool next_section();
  /// The service whose bytes the section holds.
  const std::string& section() const noexcept { return section_; }
  /// The section's bytes, in order; returns how many it read, 0 at the section's end.
  std::size_t read(std::span<char> into);

  /// Once `next_section` returned false.
  raft::snapshot_id id() const noexcept { return {header_.at.last, totals_.size, totals_.checksum}; }

  /// What the file's last record says that it is. What lies between is not read.
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
  std::uint64_t record_at_ = 0; // the record that was read last
  std::uint64_t offset_ = 0;    // behind it
  running_checksum sum_;        // of everything up to there
  snapshot_format::totals totals_;

  snapshot_format::record_head head_;
  std::string body_;
  std::string_view left_; // of body_, where it is a block
  std::string section_;
  std::set<std::string> sections_; // all so far
  bool in_section_ = false;
};

/// What a snapshot file holds.
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

/// Reads all of a snapshot file, wherever it lies and whatever its name is. Throws as `snapshot_reader` does, and
/// `reading_stopped` when a stop is requested.
snapshot_summary verify_snapshot(file_system& fs, const std::filesystem::path& path,
                                 file_role role = file_role::snapshot, const std::stop_token& stop = {});

} // namespace troupe
