// What a change makes of the members: pure rules, without log and time.
#pragma once

#include "raft/entry.hpp"
#include "raft/events.hpp"

#include <functional>
#include <optional>

namespace troupe::raft {

/// Whether what a promotion waits for is there.
using may_vote = std::function<bool(const promotion&)>;

/// So many are remembered as dismissed; one before them that comes back joins again.
inline constexpr std::size_t max_dismissed = 64;

/// Why nobody can make `change` of a configuration that is not joint.
std::optional<refusal> objection(const configuration& from, const change_members& change);

/// What `change` leads to: who joins is a learner first. There must be no objection to it.
configuration changed(const configuration& from, const change_members& change);

/// The learners that are to vote and may are voters, in place of those whom they replace. None that is spare.
configuration promoted(configuration from, const may_vote& ready);

/// The next configuration on the way to `goal`: itself where no more than one voter comes or goes, as any two
/// majorities then overlap (Ongaro's thesis, section 4.2), else the joint one (Raft paper, section 6).
configuration next_step(const configuration& from, const configuration& goal);

/// What a joint configuration leads to.
configuration left(configuration joint);

} // namespace troupe::raft
