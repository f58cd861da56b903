// How a membership change transforms a configuration: pure rules, independent of log and time.
#pragma once

#include "raft/entry.hpp"
#include "raft/events.hpp"

#include <functional>
#include <optional>

namespace troupe::raft {

/// Decides whether a learner may be promoted now.
using may_vote = std::function<bool(const promotion&)>;

/// Limit of `configuration::dismissed`. Of older dismissals only the highest index is kept (`forgotten`).
inline constexpr std::size_t max_dismissed = 64;
/// Voters and learners together.
inline constexpr std::size_t max_members = 64;
/// Size limit of an encoded configuration that is not joint. 64 members, promotions and dismissals with the longest
/// addresses fit.
inline constexpr std::size_t max_configuration_bytes = 20 * 1024;

/// Why `change` is invalid for any configuration; nullopt if it is valid.
std::optional<reject_reason> objection(const change_members& change);
/// Why `change` cannot be applied to `from`, which must not be joint; nullopt if it can.
std::optional<reject_reason> objection(const configuration& from, const change_members& change);
/// Why `goal` must not follow `from`: it exceeds a limit and is larger than `from`. A configuration that already
/// exceeds a limit can therefore be reduced one member at a time.
std::optional<reject_reason> size_objection(const configuration& from, const configuration& goal);

/// Applies `change`, to which there must be no objection. A node that joins is a learner first. `at` is the index of
/// the entry that will hold the result.
configuration changed(const configuration& from, const change_members& change, index_t at);

/// Promotes the learners with a promotion that is `ready`; each becomes a voter and replaces the voter that its
/// promotion names. Standby learners are not promoted. `at` is as above.
configuration promoted(configuration from, const may_vote& ready, index_t at);

/// The next configuration on the way to `goal`: `goal` itself if at most one voter is added or removed, because any two
/// majorities then overlap (Ongaro's thesis, section 4.2), otherwise the joint one (Raft paper, section 6).
configuration next_step(const configuration& from, const configuration& goal);

/// The configuration that follows a joint one.
configuration leave_joint(configuration joint);

} // namespace troupe::raft
