// One position of the log, and who votes on it.
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
  noop = 0,          ///< opens a leader's term (Ongaro's thesis, section 6.4)
  command = 1,       ///< for a service
  configuration = 2, ///< an encoded `configuration`
};

/// True for a byte that names an entry kind.
constexpr bool is_entry_kind(std::uint8_t value) { return value <= 2; }

struct entry {
  index_t index = 0;
  term_t term = 0;
  entry_kind kind = entry_kind::noop;
  bytes data;

  /// What the entry counts against byte limits: its data and a flat allowance for everything around it.
  std::size_t cost() const noexcept { return cost_of(data.size()); }
  static constexpr std::size_t cost_of(std::size_t data_size) noexcept { return data_size + 32; }

  friend bool operator==(const entry&, const entry&) = default;
};

/// A node as the log knows it. The address is a hint: members are ids.
struct member {
  node_id id;
  std::string address;
  friend bool operator==(const member&, const member&) = default;
};

/// A learner that is to vote: its leader makes it a voter when it has caught up.
struct promotion {
  node_id learner;
  /// The voter that leaves in the same step; 0: nobody.
  node_id replaces;
  /// Somebody asked for it. Otherwise a leader's policy thought of it, and may change its mind.
  bool asked = false;
  /// It waits, caught up or not, until a leader's policy finds a place for it.
  bool spare = false;
  /// Not `asked`, but the learner itself was asked for once, before a policy thought of another place for it: the
  /// policy may change its mind about the place, and does not let the learner go.
  bool wanted = false;
  friend bool operator==(const promotion&, const promotion&) = default;
};

/// A node that left because somebody asked for it, and the index of the configuration without it; 0: not known.
struct dismissal {
  node_id node;
  index_t at = 0;
  friend bool operator==(const dismissal&, const dismissal&) = default;
};

/// Who votes. In a joint configuration `outgoing` holds the old voters, and both majorities are needed. Learners are
/// sent everything, and count for nothing.
struct configuration {
  std::vector<member> voters;
  std::vector<member> outgoing;
  std::vector<member> learners;
  std::vector<promotion> promotions = {};
  /// Who left because somebody asked for it, oldest first: they are told so, and do not come back by themselves.
  std::vector<dismissal> dismissed = {};
  /// Dismissals up to this index may be missing above, as only the newest are kept.
  index_t forgotten = 0;

  bool joint() const noexcept { return !outgoing.empty(); }
  bool empty() const noexcept { return voters.empty(); }
  bool is_voter(node_id id) const noexcept;
  bool is_member(node_id id) const noexcept;
  bool is_dismissed(node_id id) const noexcept;
  /// Every member once, voters first.
  std::vector<member> members() const;

  friend bool operator==(const configuration&, const configuration&) = default;
};

/// The bytes of a configuration entry, and back. Decoding returns nothing for bytes that are not a configuration.
std::string encode(const configuration& value);
std::optional<configuration> decode_configuration(std::string_view data);

} // namespace troupe::raft
