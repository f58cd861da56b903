// A command to the cluster itself instead of one of its services: it replaces the services' state by that of a backup.
//
//   a command (command.hpp) of the service "$cluster" with the tag "restore" and the payload
//   index u64 | term u64 | size u64 | checksum u64
//
// It does not contain the backup's bytes: a majority of the voters has them on disk before the command gets into the
// log. No service can have this name (service.hpp, `is_service_name`), and only nodes propose such commands.
#pragma once

#include "raft/snapshot.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace troupe::services {

std::string encode_restore(const raft::snapshot_id& backup);

/// The backup that the entry at `index` restores. Returns nullopt, the same on every node, for a command of another
/// kind, and for a backup that contains entries at `index` or later, as revisions must not go backwards.
std::optional<raft::snapshot_id> restored_by(std::string_view data, raft::index_t index) noexcept;
/// A human-readable reason why a command to the cluster restores nothing.
std::string why_no_restore(std::string_view data);

} // namespace troupe::services
