// Who a node is, as its data directory keeps it (docs/log-format.md, "identity").
#pragma once

#include "raft/base/types.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace troupe {

struct identity {
  raft::node_id id;
  raft::cluster_id cluster;
  std::uint64_t starts = 0;           ///< how often the directory was opened
  std::optional<std::string> promise; ///< the caller's bytes
  std::uint64_t restored = 0;         ///< checksum of the backup that the cluster began with, 0 for none
  friend bool operator==(const identity&, const identity&) = default;
};

/// The content of an identity file, and back. Decoding throws `storage_error` that names the file for anything that
/// `encode_identity` did not write.
std::string encode_identity(const identity& value);
identity decode_identity(std::string_view content, const std::filesystem::path& file);

} // namespace troupe
