#include "actors/frontend/refusal_answer.hpp"

namespace troupe {

std::optional<refusal_answer> answer_to(raft::reject_reason why) {
  using raft::reject_reason;
  switch (why) {
  case reject_reason::not_leader:
  case reject_reason::leadership_lost:
  case reject_reason::transferring:
    return std::nullopt;
  case reject_reason::disk_full:
    return {{errc::disk_full, "the leader's disk is full"}};
  case reject_reason::overloaded:
    return {{errc::overloaded, "the leader holds too many commands that are uncommitted or not on its own disk"}};
  case reject_reason::disk_stalled:
    return {{errc::not_ready, "the leader's disk does not answer, and there is no quorum without it"}};
  case reject_reason::change_in_progress:
    return {{errc::overloaded, "another membership change is in progress"}};
  case reject_reason::leader_too_new:
    return {{errc::overloaded, "the leader has just been elected and does not know yet which members answer"}};
  case reject_reason::stale_configuration:
    return {{errc::refused, "the members have changed since the configuration on which the change is based"}};
  case reject_reason::unknown_member:
    return {{errc::refused, "the change names a node that is not a member of the cluster"}};
  case reject_reason::not_a_voter:
    return {{errc::refused, "the change names a learner where a voter is needed"}};
  case reject_reason::invalid_change:
    return {{errc::refused, "the change contradicts itself or names a node without an id"}};
  case reject_reason::invalid_address:
    return {{errc::refused, "an address is not host:port, with IPv6 in brackets and a port from 1 to 65535"}};
  case reject_reason::configuration_too_large:
    return {{errc::refused, "the cluster would have more than 64 members"}};
  case reject_reason::nothing_to_change:
    return {{errc::refused, "there is nothing to change: the members are already as requested"}};
  case reject_reason::no_voter_left:
    return {{errc::refused, "the change would leave no voter"}};
  case reject_reason::no_majority_left:
    return {{errc::refused,
             "no majority of the voters that the change would leave answers, so nothing could be committed any more"}};
  case reject_reason::no_successor:
    return {{errc::refused, "no other voter that could become leader answers; the leader keeps its leadership"}};
  case reject_reason::transfer_failed:
    return {{errc::refused, "the successor did not become leader in time; the leader keeps its leadership"}};
  }
  return std::nullopt;
}

} // namespace troupe
