#include "actors/frontend/refusal_answer.hpp"

namespace troupe {

std::optional<refusal_answer> answer_to(raft::refusal why) {
  using raft::refusal;
  switch (why) {
  case refusal::not_leader:
  case refusal::leadership_lost:
  case refusal::transferring:
    return std::nullopt;
  case refusal::disk_full:
    return {{errc::disk_full, "the leader's disk is full"}};
  case refusal::overloaded:
    return {{errc::overloaded, "the leader holds too many commands that are uncommitted or not on its own disk"}};
  case refusal::disk_stalled:
    return {{errc::not_ready, "the leader's disk does not answer, and there is no quorum without it"}};
  case refusal::change_in_progress:
    return {{errc::overloaded, "another membership change is in progress"}};
  case refusal::leader_too_new:
    return {{errc::overloaded, "the leader has just been elected and does not know yet which members answer"}};
  case refusal::stale_configuration:
    return {{errc::refused, "the members have changed since the configuration on which the change is based"}};
  case refusal::unknown_member:
    return {{errc::refused, "the change names a node that is not a member of the cluster"}};
  case refusal::not_a_voter:
    return {{errc::refused, "the change names a learner where a voter is needed"}};
  case refusal::invalid_change:
    return {{errc::refused, "the change contradicts itself or names a node without an id"}};
  case refusal::invalid_address:
    return {{errc::refused, "an address is not host:port, with IPv6 in brackets and a port from 1 to 65535"}};
  case refusal::configuration_too_large:
    return {{errc::refused, "the cluster would have more than 64 members"}};
  case refusal::nothing_to_change:
    return {{errc::refused, "there is nothing to change: the members are already as requested"}};
  case refusal::no_voter_left:
    return {{errc::refused, "the change would leave no voter"}};
  case refusal::no_majority_left:
    return {{errc::refused,
             "no majority of the voters that the change would leave answers, so nothing could be committed any more"}};
  case refusal::no_successor:
    return {{errc::refused, "no other voter that could become leader answers; the leader keeps its leadership"}};
  case refusal::transfer_failed:
    return {{errc::refused, "the successor did not become leader in time; the leader keeps its leadership"}};
  }
  return std::nullopt;
}

} // namespace troupe
