// What a node is, whatever its role: moved from role to role.
#pragma once

#include "raft/absences.hpp"
#include "raft/base/random.hpp"
#include "raft/events.hpp"
#include "raft/lag_clock.hpp"
#include "raft/log_view.hpp"
#include "raft/options.hpp"

#include <algorithm>
#include <deque>
#include <limits>
#include <optional>
#include <utility>

namespace troupe::raft {

/// Term, vote, log, and how much of them is on disk. Exactly one role owns it at a time.
class node_state {
 public:
  /// A node as it comes up: from what its disk held, all of which is durable.
  node_state(node_id self, cluster_id cluster, options opts, std::uint64_t seed, const recovered& disk);

  /// Every step of a role begins with this: sets the time, takes in what the disk reports, and judges the disk by its
  /// oldest write that is not synced.
  void enter(const event& what, time_point now, output& out);
  /// Of the present step.
  time_point now() const noexcept { return now_; }

  node_id self() const noexcept { return self_; }
  /// Another number at every start, drawn from the seed: an answer that carries it speaks for what this start found on
  /// the disk, and for nothing that an earlier one had.
  std::uint64_t incarnation() const noexcept { return incarnation_; }
  const options& opts() const noexcept { return opts_; }
  term_t term() const noexcept { return hard_.term; }
  node_id voted_for() const noexcept { return hard_.voted_for; }
  const log_view& log() const noexcept { return log_; }
  const configuration& members() const noexcept { return log_.current(); }
  index_t commit() const noexcept { return commit_; }
  /// 0 <= durable_index() <= log().last_index(): the prefix of the log that is on this node's disk.
  index_t durable_index() const noexcept { return durable_index_; }
  const hard_state& durable_hard() const noexcept { return durable_hard_; }
  /// The newest write handed to the log store; 0 before the first.
  std::uint64_t last_write() const noexcept { return last_write_; }
  bool all_durable() const noexcept { return unsynced_.empty(); }
  /// What was handed to the log store and is not known to be on disk.
  std::size_t unsynced_bytes() const noexcept { return unsynced_bytes_; }
  /// A write has waited for longer than options::disk_stall_limit. Such a node does not campaign, takes no entries, and
  /// drops the messages that would wait for its disk.
  bool disk_stalled() const noexcept { return stalled_; }
  /// For how long the oldest write has waited; zero if none waits.
  duration disk_wait(time_point now) const noexcept;
  /// When the disk is to be judged next: every role's deadline covers this.
  std::optional<time_point> disk_deadline() const noexcept;
  /// False when no more changes of the term may wait for the disk.
  bool disk_takes_terms() const noexcept { return !stalled_ || unsynced_.size() < max_stalled_writes; }
  /// True if the newest configuration is committed, as far as this node knows.
  bool configuration_committed() const noexcept { return log_.configuration_index() <= commit_; }
  /// A node whose removal is not committed may be the only one that can lead (Ongaro's thesis, section 4.2.2). One
  /// without its state answers and votes as ever, but must not lead: it could not serve. One whose disk stalls could
  /// not even vote for itself.
  bool may_campaign() const noexcept {
    return log_.may_count(self_, commit_) && !removed() && !state_lost_ && !stalled_;
  }
  /// A learner that hears nothing may have been removed while it was away, and only those that it asks tell it so.
  bool may_ask() const noexcept { return !removed() && members().is_member(self_) && !log_.may_count(self_, commit_); }
  /// True if this node was told that it is no member, and knows of no newer configuration.
  bool removed() const noexcept { return removed_as_of_ > 0 && log_.configuration_index() <= removed_as_of_; }
  /// It is said to this node that it is not a member. That is passed on if it is news: a newer configuration, or an
  /// earlier time of leaving. False if a newer configuration may have this node.
  bool note_removed(output& out, const removed_notice& notice, time_point now);
  /// This node has committed its own removal.
  void note_own_removal(output& out);
  /// A lower bound for how long `peer` has not been a member.
  duration out_for(node_id peer, time_point now) const { return absences_.out_for(peer, now); }
  bool has_room() const noexcept { return has_room_; }
  void note_room(bool enough) noexcept { has_room_ = enough; }
  /// False while the state machines stand before an entry whose state is missing here. Such a node may lead, but only
  /// to make way: see leader::make_way.
  bool can_apply() const noexcept { return missing_at_ == 0; }
  void note_missing(index_t index);
  /// How long to wait before the next campaign. Without room, or without a state to go on from, it is long, so that
  /// others go first.
  duration draw_election_timeout();
  /// Where a snapshot must reach for this node to go on; 0 when it has its state.
  index_t needs_snapshot() const noexcept {
    return state_lost_ ? std::max<index_t>(log_.start().index, 1) : missing_at_;
  }
  prng& random() noexcept { return random_; }

  /// A message header to a peer in the current term.
  header to(node_id peer) const noexcept { return {cluster_, self_, peer, hard_.term}; }

  /// Each of these changes the state in memory and adds the change to `out.write_now`.
  void set_hard(output& out, term_t term, node_id voted_for);
  void truncate_from(output& out, index_t from);
  void append(output& out, entry e);

  /// A write is on disk: moves the durable marks.
  void persisted_to(const durable_mark& mark);
  /// Raises the commit index; never lowers it.
  void commit_to(index_t index);
  /// A leader says that this is committed, whether or not this node has it.
  void note_known_commit(index_t index) noexcept { known_commit_ = std::max(known_commit_, index); }
  /// The newest commit index that this node has heard of.
  index_t known_commit() const noexcept { return std::max(known_commit_, commit_); }
  /// For how long this node has not been able to give out what it knew to be committed; zero if it can.
  duration behind_for(time_point now) const noexcept { return lag_.behind(released_, now); }
  /// Another node's snapshot is on its way here, and the log does not do without it.
  bool installing() const noexcept { return installing_; }
  void note_installing(bool yes) noexcept { installing_ = yes; }
  /// Puts into `out` what may newly be applied: what is committed, on the disks of a majority. Whether this node's own
  /// disk is one of them does not matter (Ongaro's thesis, section 10.2.1): after a crash it replays what it then has.
  void release_commits(output& out);
  /// Gives out a piece of a snapshot to be stored, unless one is being stored: then this one is lost, as if on the
  /// network, so that no more than one waits for a slow disk.
  void store(output& out, const snapshot_request& piece);
  /// It is stored, or failed: the session that sent it. Nothing if its term is not this node's any more: then its
  /// sender's read rounds are over, and an answer in the new term would confirm rounds that were never asked for in it.
  std::optional<std::uint64_t> note_stored() noexcept;
  /// A snapshot of another node is on disk. If it brings anything, log and commit index are what it says, and the state
  /// machines are to be loaded from it. False for one that this node must not use, because it ends before its log
  /// begins.
  bool install(output& out, const snapshot_point& at);
  /// A snapshot of this node's own is on disk.
  void note_taken(const snapshot_taken& what) noexcept { taken_ = what; }
  /// The log loses what the snapshots that are kept stand for, but for a tail that spares slow followers a snapshot,
  /// and for what lies behind `pinned`.
  void compact(output& out, index_t pinned = nothing_pinned);
  /// How far the log could be compacted now if nothing were pinned.
  index_t compactable() const;
  static constexpr index_t nothing_pinned = std::numeric_limits<index_t>::max();
  /// Routes a message that promises something about this node's disk: through the log store while any write is on its
  /// way, at once when none is. While the disk stalls it is dropped, as if on the network: what waited for so long
  /// would be out of date, and no queue may grow behind a disk.
  void send_durably(output& out, rpc message) const;

  /// Checks a step's output against this state; called on every step, in release builds too.
  /// Throws std::logic_error naming the broken rule: the node must stop.
  void validate(const output& out) const;

 private:
  struct unsynced_write {
    std::uint64_t number;
    index_t last_index; ///< the log's end after this write, lowered by later truncations
    hard_state hard;
    bool log_replaced = false; ///< by a later reset: this write's entries are nowhere any more
    time_point since;          ///< when it was handed over
    std::size_t bytes = 0;
  };
  /// Changes of the term that may wait for a disk that stalls.
  static constexpr std::size_t max_stalled_writes = 256;
  write& current_write(output& out);
  /// Whether somebody asked for this node's removal, or may have, where dismissals up to `forgotten` are not listed.
  bool was_dismissed(index_t forgotten) const;
  void judge_disk(output& out);

  node_id self_;
  cluster_id cluster_;
  std::uint64_t incarnation_;
  options opts_;
  prng random_;
  hard_state hard_;
  hard_state durable_hard_;
  log_view log_;
  index_t commit_ = 0;
  index_t durable_index_ = 0;
  /// released_ <= commit_: what was given out as applicable, all of it on this disk, in the log or in a snapshot.
  index_t released_ = 0;
  /// loaded_ <= commit_: the snapshot that the state machines were loaded from last.
  index_t loaded_ = 0;
  bool state_lost_ = false;
  /// released_ < missing_at_ <= commit_, or 0: nothing is missing.
  index_t missing_at_ = 0;
  bool has_room_ = true;
  /// The newest snapshot taken here.
  snapshot_taken taken_;
  index_t removed_as_of_ = 0;
  /// removed_at_ <= removed_as_of_: the newest configuration of which this node was told that it does not have it.
  index_t removed_at_ = 0;
  /// With removed_at_: it left no later than this.
  time_point removed_before_{};
  absences absences_;
  /// Of the piece that is being stored.
  struct stored_piece {
    term_t term;
    std::uint64_t session;
  };
  std::optional<stored_piece> storing_;
  std::uint64_t last_write_ = 0;
  /// Writes handed over and not yet known to be on disk, oldest first; numbers rise.
  std::deque<unsynced_write> unsynced_;
  std::size_t unsynced_bytes_ = 0;
  time_point now_;
  /// When this process had not run for a while: the disk is not blamed for the time before.
  time_point resumed_;
  bool stalled_ = false;
  index_t known_commit_ = 0;
  lag_clock lag_;
  bool installing_ = false;
};

} // namespace troupe::raft
