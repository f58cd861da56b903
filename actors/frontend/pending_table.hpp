// The commands that a proxy has not answered yet, with their requesters, deadlines and states.
#pragma once

#include "actors/protocol/interfaces.hpp"

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <unordered_map>
#include <variant>
#include <vector>

namespace troupe {

/// An actor that sends commands to a proxy, or asks it for a read index.
using requester_handle = compat::handle<void(outcome_batch), void(read_index_answer)>;

/// The states of a pending command; proxy.hpp shows the transitions.
namespace command_state {
/// Held by the proxy only.
struct waiting {};
/// A write beyond the state quota. The proxy has asked its service whether the write would make the state larger.
struct checking_quota {};
/// Sent to the role of this node, which has not answered yet.
struct proposed {};
/// In the log of this node. Another leader may still replace the entry.
struct accepted {
  index_t index = 0;
  term_t term = 0;
};
/// Sent to another node.
struct forwarded {
  node_id peer;
};
/// A read for which the proxy has asked a leader for a read index.
struct confirming {};
/// A read that was sent to the dispatcher of this node.
struct reading {};
} // namespace command_state

struct pending_command {
  requester_handle origin;
  /// The requester's number for it.
  std::uint64_t number = 0;
  access how = access::write;
  /// From another node's proxy, which waits and retries itself.
  bool from_proxy = false;
  raft::time_point deadline = {};
  /// For a service; empty for a change of the cluster.
  raft::bytes payload = {};
  /// Null for a command for a service. A change is a write.
  std::unique_ptr<const cluster_change> change = nullptr;
  std::variant<command_state::waiting, command_state::checking_quota, command_state::proposed, command_state::accepted,
               command_state::forwarded, command_state::confirming, command_state::reading>
      state = {};

  bool is_write() const noexcept { return how == access::write; }
  /// What it counts for in the limit of the table.
  std::size_t bytes() const;
  /// The command was not given to any log, so it is surely not done.
  bool is_held_back() const noexcept { return in<command_state::waiting>() || in<command_state::checking_quota>(); }
  /// Null if the command is not in this state.
  template <class State> const State* in() const noexcept { return std::get_if<State>(&state); }
};

/// The memory that a change takes, roughly.
std::size_t size_of(const cluster_change& change);

/// Finds a command by its tag, a sequence number that is never 0. Every attempt gets a new tag, so a late answer to an
/// earlier attempt finds no command. The table limits the number of commands and their bytes.
class pending_table {
 public:
  pending_table(std::size_t max_commands, std::size_t max_bytes) : max_commands_(max_commands), max_bytes_(max_bytes) {}

  bool empty() const noexcept { return commands_.empty(); }
  std::size_t size() const noexcept { return commands_.size(); }
  bool has_room_for(std::size_t bytes) const noexcept;

  /// Returns a number that is not in use.
  raft::tag_t draw_tag() noexcept { return ++last_tag_; }
  raft::tag_t add(pending_command command);
  pending_command* find(raft::tag_t tag);
  /// Sets the state to `checking_quota`. The query to the service has a copy of the payload, which counts too. If there
  /// is no room for the copy, it returns false and changes nothing.
  bool check_quota(pending_command& command);
  /// Sets the state to `proposed`.
  void propose(pending_command& command);
  /// The bytes of the commands that are proposed or accepted.
  std::size_t proposed_bytes() const noexcept { return proposed_bytes_; }
  /// Ends the command's present attempt: it waits again, under the returned new tag.
  raft::tag_t retry(raft::tag_t tag);
  std::optional<pending_command> take(raft::tag_t tag);

  /// The commands whose deadline has passed. Examines all commands, but only if the earliest deadline may have passed.
  std::vector<raft::tag_t> overdue(raft::time_point now);
  /// The commands for which `predicate` holds, oldest attempt first.
  template <class Predicate> std::vector<raft::tag_t> select(Predicate predicate) const {
    std::vector<raft::tag_t> tags;
    for (const auto& [tag, command] : commands_)
      if (predicate(command)) tags.push_back(tag);
    sort(tags);
    return tags;
  }

 private:
  static void sort(std::vector<raft::tag_t>& tags);
  void leave(const pending_command& command);

  std::size_t max_commands_;
  std::size_t max_bytes_;
  std::size_t bytes_ = 0;
  std::size_t proposed_bytes_ = 0;
  raft::tag_t last_tag_ = 0;
  std::unordered_map<raft::tag_t, pending_command> commands_;
  /// A lower bound of all deadlines. Most commands end long before theirs, so it is updated only when it has passed.
  raft::time_point earliest_deadline_ = raft::time_point::max();
};

/// Accepted proposals in the order of their log indexes.
class accepted_order {
 public:
  struct item {
    index_t index = 0;
    raft::tag_t tag = 0;
  };
  void add(item added);
  /// Removes and returns the first item, if its index is `up_to` or less.
  std::optional<item> next(index_t up_to);
  void clear() { items_.clear(); }

 private:
  /// Sorted by index. Indexes grow while one leader accepts proposals. Those of an older leader may be greater.
  std::deque<item> items_;
};

} // namespace troupe
