// Commands to the cluster itself about its members: a command (command.hpp) of the service "$cluster" with the tag
// "members" or "transfer". They never get into the log: the leader's proxy decodes them and sends them to its role. No
// service can have this name (service.hpp, `is_service_name`).
#pragma once

#include "raft/events.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace troupe::services {

using member_command = std::variant<raft::change_members, raft::transfer_leadership>;

/// The `tag` of the request is omitted.
std::string encode(const member_command& what);
/// Returns nullopt for a command of another kind. Never throws.
std::optional<member_command> decode_member_command(std::string_view data);
/// Whether the command adds a node without an address. The Raft core would accept it, as it knows members by id only.
bool lacks_address(const member_command& what);

} // namespace troupe::services
