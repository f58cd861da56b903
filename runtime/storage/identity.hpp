// The identity of a node, as stored in its data directory (docs/log-format.md, "identity").
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
  std::uint64_t starts = 0;           ///< how many times the directory was opened
  std::optional<std::string> promise; ///< opaque bytes of the caller
  std::uint64_t restored = 0;         ///< checksum of the backup that the cluster started from, 0 for none
  friend bool operator==(const identity&, const identity&) = default;
};

/// Encode and decode the content of an identity file. Decoding throws a `storage_error` that names the file if
/// `encode_identity` did not write the content.
std::string encode_identity(const identity& value);
identity decode_identity(std::string_view content, const std::filesystem::path& file);

} // namespace troupe
