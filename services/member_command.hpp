// Commands to the cluster itself about its members: a command (command.hpp) of the service "$cluster" with the tag
// "members" or "transfer". They never get into the log: the proxy of the leader takes them apart for its role. No
// service has such a name (service.hpp, `is_service_name`).
#pragma once

#include "raft/events.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace troupe::services {

using member_command = std::variant<raft::change_members, raft::transfer_leadership>;

/// The tags inside are left away.
std::string encode(const member_command& what);
/// Nothing for a command of another kind. Never throws.
std::optional<member_command> decode_member_command(std::string_view data);
/// Whether it adds a node without saying where that is. The core takes such a node, as it knows members by their ids.
bool lacks_address(const member_command& what);

} // namespace troupe::services
