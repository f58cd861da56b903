// A log entry, and the configuration that defines which members vote.
#pragma once

#include "raft/base/bytes.hpp"
#include "raft/base/types.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::raft {

/// What an entry is for. The values are part of the disk and wire formats.
enum class entry_kind : std::uint8_t {
  noop = 0,          ///< the first entry of a leader's term (Ongaro's thesis, section 6.4)
  command = 1,       ///< a command for a service
  configuration = 2, ///< an encoded `configuration`
};

/// True if `value` is a valid entry kind.
constexpr bool is_entry_kind(std::uint8_t value) { return value <= 2; }

struct entry {
  index_t index = 0;
  term_t term = 0;
  entry_kind kind = entry_kind::noop;
  bytes data;

  /// The entry's size for byte limits: its data plus a flat allowance for the overhead.
  std::size_t cost() const noexcept { return cost_of(data.size()); }
  static constexpr std::size_t cost_of(std::size_t data_size) noexcept { return data_size + 32; }

  friend bool operator==(const entry&, const entry&) = default;
};

/// A learner that is to become a voter: the leader promotes it once it has caught up.
struct promotion {
  node_id learner;
  /// The voter that leaves in the same step; 0 if none.
  node_id replaces;
  /// An operator asked for the promotion. Otherwise a leader's policy decided on it and may revoke it.
  bool asked = false;
  /// A standby learner: it waits, caught up or not, until a leader's policy has a voter's place for it.
  bool standby = false;
  /// Not `asked`, but an operator had asked for the learner before a policy assigned it another place. The policy may
  /// revoke that place, but must not remove the learner.
  bool wanted = false;
  friend bool operator==(const promotion&, const promotion&) = default;
};

/// A node that an operator removed, and the index of the first configuration without it; 0 if not known.
struct dismissal {
  node_id node;
  index_t at = 0;
  friend bool operator==(const dismissal&, const dismissal&) = default;
};

/// The members and their roles. In a joint configuration `outgoing` holds the old voters, and both majorities are
/// needed. Learners receive all entries but never count towards a majority.
struct configuration {
  std::vector<member> voters;
  std::vector<member> outgoing;
  std::vector<member> learners;
  std::vector<promotion> promotions = {};
  /// The nodes that operators removed, oldest first. They are notified, and do not join again by themselves.
  std::vector<dismissal> dismissed = {};
  /// Dismissals up to this index may be missing from `dismissed`, because only the newest are kept.
  index_t forgotten = 0;

  bool joint() const noexcept { return !outgoing.empty(); }
  bool empty() const noexcept { return voters.empty(); }
  bool is_voter(node_id id) const noexcept;
  bool is_member(node_id id) const noexcept;
  bool is_dismissed(node_id id) const noexcept;
  /// Every member exactly once, voters first.
  std::vector<member> members() const;

  friend bool operator==(const configuration&, const configuration&) = default;
};

/// Encodes the data of a configuration entry.
std::string encode(const configuration& value);
/// The reverse; nullopt if `data` is not a configuration.
std::optional<configuration> decode_configuration(std::string_view data);

} // namespace troupe::raft
