// What a change makes of the members: pure rules, without log and time.
#pragma once

#include "raft/entry.hpp"
#include "raft/events.hpp"

#include <functional>
#include <optional>

namespace troupe::raft {

/// Whether what a promotion waits for is there.
using may_vote = std::function<bool(const promotion&)>;

/// So many are remembered as dismissed. Of those before them only the index is kept up to which they were dismissed.
inline constexpr std::size_t max_dismissed = 64;
/// Voters and learners together.
inline constexpr std::size_t max_members = 64;
/// Of an encoded configuration that is not joint: 64 members, promotions and dismissals, with the longest addresses.
inline constexpr std::size_t max_configuration_bytes = 20 * 1024;

/// What makes `change` invalid whatever the members are.
std::optional<refusal> objection(const change_members& change);
/// Why `change` cannot be made of a configuration that is not joint.
std::optional<refusal> objection(const configuration& from, const change_members& change);
/// Why `goal` must not follow `from`: it is larger than a configuration may be, and than `from`. A configuration that
/// breaks a limit already can be made smaller one member at a time.
std::optional<refusal> outgrown(const configuration& from, const configuration& goal);

/// What `change` leads to: who joins is a learner first. There must be no objection to it. `at` is the index of the
/// entry that the result is for.
configuration changed(const configuration& from, const change_members& change, index_t at);

/// The learners that are to vote and may are voters, in place of those whom they replace. None that is spare. `at` as
/// above.
configuration promoted(configuration from, const may_vote& ready, index_t at);

/// The next configuration on the way to `goal`: itself where no more than one voter comes or goes, as any two
/// majorities then overlap (Ongaro's thesis, section 4.2), else the joint one (Raft paper, section 6).
configuration next_step(const configuration& from, const configuration& goal);

/// What a joint configuration leads to.
configuration left(configuration joint);

} // namespace troupe::raft
