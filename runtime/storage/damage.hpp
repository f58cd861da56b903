// The error for a file that holds what it must not.
#pragma once

#include "raft/storage.hpp"

#include <cstdint>
#include <filesystem>
#include <string>

namespace troupe {

/// What can be done about a data directory whose log or identity is not as it was written: ends an error's text.
inline std::string repair_advice(const std::filesystem::path& data_directory) {
  return "(`troupe-log repair " + data_directory.string() + "` makes it a new node)";
}

/// The text names the file, the offset and, where there is one, a way out.
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
  /// Where what is wrong begins.
  std::uint64_t offset() const noexcept { return offset_; }

 private:
  std::filesystem::path path_;
  std::uint64_t offset_;
};

} // namespace troupe
