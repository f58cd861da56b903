// A command to the cluster itself instead of one of its services: the services' state is replaced by a backup's.
//
//   a command (command.hpp) of the service "$cluster" with the tag "restore" and the payload
//   index u64 | term u64 | size u64 | checksum u64
//
// The backup's bytes are not in it: a majority of the voters has them on disk before it gets into the log. No service
// has such a name (service.hpp, `is_service_name`), and only nodes propose such commands.
#pragma once

#include "raft/snapshot.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace troupe::services {

std::string encode_restore(const raft::snapshot_id& backup);

/// What the entry at `index` restores. Nothing, the same on every node, where that is not for it to say: for a command
/// of another kind, and for a backup that holds what is newer than `index`, as nobody's revisions are to go backwards.
std::optional<raft::snapshot_id> restored_by(std::string_view data, raft::index_t index) noexcept;
/// Why a command to the cluster restores nothing, for a person.
std::string why_no_restore(std::string_view data);

} // namespace troupe::services
