// The error for a file with invalid content.
#pragma once

#include "raft/storage.hpp"

#include <cstdint>
#include <filesystem>
#include <string>

namespace troupe {

/// Says how to repair a data directory whose log or identity is damaged. Appended to an error's text.
inline std::string repair_advice(const std::filesystem::path& data_directory) {
  return "(`troupe-log repair " + data_directory.string() + "` makes it a new node)";
}

/// The text names the file, the offset and, if there is one, a remedy.
class damage_error : public raft::storage_error {
 public:
  /// `what` begins the text ("damaged log: bad record"), `advice` ends it.
  damage_error(const std::string& what, std::filesystem::path path, std::uint64_t offset,
               const std::string& advice = {})
      : storage_error(what + " in " + path.string() + " at offset " + std::to_string(offset) +
                          (advice.empty() ? "" : "; " + advice),
                      false, true),
        path_(std::move(path)), offset_(offset) {}

  const std::filesystem::path& path() const noexcept { return path_; }
  /// Offset of the first invalid byte or record.
  std::uint64_t offset() const noexcept { return offset_; }

 private:
  std::filesystem::path path_;
  std::uint64_t offset_;
};

} // namespace troupe
