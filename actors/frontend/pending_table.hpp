// The commands that a proxy has not answered yet: whose they are, how long they may take, and where they are.
#pragma once

#include "actors/protocol/interfaces.hpp"

#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>
#include <variant>
#include <vector>

namespace troupe {

/// Whoever sends commands to a proxy, or asks it for an index to read at.
using asker_handle = compat::handle<void(outcome_batch), void(read_index_answer)>;

/// Where a command is.
namespace place {
/// Nowhere but here.
struct waiting {};
/// A write beyond the quota of the state: its service is asked whether it would add to the state.
struct weighing {};
/// Handed to the role of this node, which has not answered yet.
struct proposed {};
/// In the log of this node, at least for now.
struct accepted {
  index_t index = 0;
  term_t term = 0;
};
/// Sent to another node.
struct forwarded {
  node_id peer;
};
/// A read for which a leader is asked for an index.
struct confirming {};
/// A read that is with the dispatcher of this node.
struct reading {};
} // namespace place

struct pending_command {
  asker_handle asker;
  /// The asker's name for it.
  std::uint64_t number = 0;
  access how = access::write;
  /// From another node's proxy, which does the waiting and the retries itself.
  bool from_proxy = false;
  raft::time_point deadline;
  raft::bytes payload;
  std::variant<place::waiting, place::weighing, place::proposed, place::accepted, place::forwarded, place::confirming,
               place::reading>
      where;

  bool is_write() const noexcept { return how == access::write; }
  /// A write that no log has been given: it is surely not done.
  bool is_held_back() const noexcept { return at<place::waiting>() || at<place::weighing>(); }
  template <class Place> const Place* at() const noexcept { return std::get_if<Place>(&where); }
};

/// Finds a command by its tag: a running number, never 0, drawn anew for every attempt, so that a late answer to an
/// earlier attempt finds nothing. Bounded in commands and bytes.
class pending_table {
 public:
  pending_table(std::size_t max_commands, std::size_t max_bytes) : max_commands_(max_commands), max_bytes_(max_bytes) {}

  bool empty() const noexcept { return commands_.empty(); }
  std::size_t size() const noexcept { return commands_.size(); }
  bool has_room_for(const raft::bytes& payload) const noexcept;

  /// A number that names nothing yet.
  raft::tag_t draw_tag() noexcept { return ++last_tag_; }
  raft::tag_t add(pending_command command);
  pending_command* find(raft::tag_t tag);
  /// Its service is asked about it now. The question has a copy of the payload, which counts as well: false, and
  /// nothing changes, if there is no room for that.
  bool weigh(pending_command& command);
  /// It is proposed now.
  void propose(pending_command& command);
  /// Payload bytes of the commands that are proposed or accepted.
  std::size_t proposed_bytes() const noexcept { return proposed_bytes_; }
  /// Ends a command's present attempt: from now on it waits under another tag.
  raft::tag_t start_over(raft::tag_t tag);
  std::optional<pending_command> take(raft::tag_t tag);

  /// Those that must be answered now. Looks at every command, but only when there is a reason to.
  std::vector<raft::tag_t> overdue(raft::time_point now);
  /// Those that `predicate` holds for, oldest attempt first.
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
  /// No command has an earlier deadline. Most commands end long before theirs, so this is corrected only when it is
  /// due.
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
  /// Takes out the next one at `up_to` or before.
  std::optional<item> next(index_t up_to);
  void clear() { items_.clear(); }

 private:
  /// Sorted by index. Indexes grow while one leader accepts; an older leader's proposals may stand behind.
  std::deque<item> items_;
};

} // namespace troupe
