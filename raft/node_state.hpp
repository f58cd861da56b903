// Role-independent node state, moved from role to role.
#pragma once

#include "raft/absences.hpp"
#include "raft/base/random.hpp"
#include "raft/events.hpp"
#include "raft/lag_clock.hpp"
#include "raft/log_view.hpp"
#include "raft/options.hpp"

#include <algorithm>
#include <deque>
#include <optional>
#include <utility>

namespace troupe::raft {

/// Term, vote and log, and how much of them is on disk. Exactly one role owns it at a time.
class node_state {
 public:
  /// A node that starts with what its disk holds, all of which is durable.
  node_state(node_id self, cluster_id cluster, options opts, std::uint64_t seed, const recovered& disk);

  /// Every step of a role begins with this. It sets the time, handles `persisted`, and checks by the oldest write that
  /// is not synced whether the disk stalls.
  void enter(const event& what, time_point now, output& out);
  /// The time of the current step.
  time_point now() const noexcept { return now_; }

  node_id self() const noexcept { return self_; }
  /// A new number for every start of the process, drawn from the seed. A response that carries it vouches only for what
  /// this process found or wrote on the disk, not for what an earlier process had.
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
  /// Bytes handed to the log store that are not known to be on disk.
  std::size_t unsynced_bytes() const noexcept { return unsynced_bytes_; }
  /// A write has waited for longer than options::disk_stall_limit. Such a node does not campaign, appends no entries
  /// from a leader, and drops the messages that would have to wait for its disk.
  bool disk_stalled() const noexcept { return stalled_; }
  /// For how long the oldest write has waited; zero if none waits.
  duration disk_wait(time_point now) const noexcept;
  /// When to check the disk next. Every role's deadline includes this.
  std::optional<time_point> disk_deadline() const noexcept;
  /// False when no further change of the term may wait for the stalled disk.
  bool disk_takes_terms() const noexcept { return !stalled_ || unsynced_.size() < max_stalled_writes; }
  /// True if the newest configuration is committed, as far as this node knows.
  bool configuration_committed() const noexcept { return log_.configuration_index() <= commit_; }
  /// A node whose removal is not committed may campaign: it may be the only one that can lead (Ongaro's thesis, section
  /// 4.2.2). A node that lost its state responds and votes as usual, but must not lead, since it could not serve. A
  /// node whose disk stalls could not even vote for itself.
  bool may_campaign() const noexcept {
    return log_.may_count(self_, commit_) && !removed() && !state_lost_ && !stalled_;
  }
  /// True for a learner that may ask the voters. A learner that hears from no leader may have been removed while it was
  /// away; it learns that only from the nodes that it asks.
  bool may_ask() const noexcept { return !removed() && members().is_member(self_) && !log_.may_count(self_, commit_); }
  /// True if this node was notified of its removal and knows of no newer configuration.
  bool removed() const noexcept { return removed_as_of_ > 0 && log_.configuration_index() <= removed_as_of_; }
  /// Handles a notice that this node is not a member. Sets `out.removed` if the notice is news: a newer configuration,
  /// or an earlier time of removal. Returns false if a newer configuration may include this node.
  bool note_removed(output& out, const removed_notice& notice, time_point now);
  /// This node has committed its own removal.
  void note_own_removal(output& out);
  /// A lower bound for how long `peer` has not been a member.
  duration out_for(node_id peer, time_point now) const { return absences_.out_for(peer, now); }
  /// False if the disk is full, see disk_space.
  bool has_room() const noexcept { return has_room_; }
  void note_room(bool enough) noexcept { has_room_ = enough; }
  /// False while apply is blocked on a restore entry whose backup is missing locally. Such a node may become leader,
  /// but steps down again: see leader::step_down_if_unable_to_apply.
  bool can_apply() const noexcept { return missing_at_ == 0; }
  void note_missing(index_t index);
  /// How long to wait before the next campaign. Longer for a node that has no room or cannot apply, so that others
  /// campaign first.
  duration draw_election_timeout();
  /// The index that a snapshot must reach for this node to continue; 0 if it needs none.
  index_t needs_snapshot() const noexcept {
    return state_lost_ ? std::max<index_t>(log_.start().index, 1) : missing_at_;
  }
  prng& random() noexcept { return random_; }

  /// A message header to a peer in the current term.
  header to(node_id peer) const noexcept { return {cluster_, self_, peer, hard_.term}; }

  /// Each of the following changes the state in memory and adds the change to `out.write_now`.
  void set_hard(output& out, term_t term, node_id voted_for);
  void truncate_from(output& out, index_t from);
  void append(output& out, entry e);

  /// Moves the durable marks: all writes up to `mark` are on disk.
  void persisted_to(const durable_mark& mark);
  /// Raises the commit index; never lowers it.
  void commit_to(index_t index);
  /// A leader reports that entries up to `index` are committed, whether or not this node has them.
  void note_known_commit(index_t index) noexcept { known_commit_ = std::max(known_commit_, index); }
  /// The newest commit index known to this node.
  index_t known_commit() const noexcept { return std::max(known_commit_, commit_); }
  /// For how long this node has been unable to release entries that it knew to be committed; zero if it is able.
  duration behind_for(time_point now) const noexcept { return lag_.behind(released_, now); }
  /// Another node's snapshot is being received, and the log cannot continue without it.
  bool installing() const noexcept { return installing_; }
  void note_installing(bool yes) noexcept { installing_ = yes; }
  /// Adds to `out` the entries that may newly be applied: those that are committed, i.e. on the disks of a majority.
  /// This node's own disk need not be one of them (Ongaro's thesis, section 10.2.1): after a crash the node replays
  /// what it then has.
  void release_commits(output& out);
  /// Adds a snapshot chunk to `out` for storage. If another chunk is being stored, this one is dropped, as if the
  /// network had lost it, so that at most one waits for a slow disk.
  void store(output& out, const snapshot_request& chunk);
  /// The chunk is stored, or storing it failed. Returns the session that sent it, or nullopt if this node's term has
  /// changed since: a response in the new term would confirm read rounds that were never started in that term.
  std::optional<std::uint64_t> note_stored() noexcept;
  /// A snapshot of another node is on disk. If it reaches beyond the released entries, log and commit index are set
  /// from it, and `out.load` makes the state machines load it. Returns false if this node must not use it, because it
  /// ends before the start of the log.
  bool install(output& out, const snapshot_point& at);
  /// A snapshot that this node took is on disk.
  void note_taken(const snapshot_taken& what) noexcept { taken_ = what; }
  /// Compacts the log up to the oldest snapshot kept, except for a tail that saves slow followers a snapshot, and for
  /// the entries after `pinned`.
  void compact(output& out, index_t pinned = nothing_pinned);
  /// The index up to which the log could be compacted now if nothing were pinned.
  index_t compactable() const;
  /// Sends a message that promises something about this node's disk: through the log store while any write is pending,
  /// otherwise at once. While the disk stalls the message is dropped, as if the network had lost it: after such a wait
  /// it would be out of date, and no queue may grow behind a stalled disk.
  void send_durably(output& out, rpc message) const;

  /// Checks a step's output against this state. Called on every step, also in release builds. Throws std::logic_error
  /// that names the broken rule; the node must then stop.
  void validate(const output& out) const;

 private:
  struct unsynced_write {
    std::uint64_t number;
    index_t last_index; ///< the log's end after this write, lowered by later truncations
    hard_state hard;
    bool log_replaced = false; ///< a later reset has dropped this write's entries
    time_point since;          ///< when it was handed to the log store
    std::size_t bytes = 0;
  };
  /// The maximum of term changes that may wait for a stalled disk.
  static constexpr std::size_t max_stalled_writes = 256;
  write& current_write(output& out);
  /// Whether an operator asked, or may have asked, for this node's removal. Dismissals up to `forgotten` may be
  /// unknown.
  bool was_dismissed(index_t forgotten) const;
  void check_disk(output& out);

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
  /// released_ <= commit_: the newest entry that was released for applying.
  index_t released_ = 0;
  /// loaded_ <= commit_: the index of the snapshot that the state machines loaded last.
  index_t loaded_ = 0;
  bool state_lost_ = false;
  /// The entry that cannot be applied, released_ < missing_at_ <= commit_; 0 if nothing is missing.
  index_t missing_at_ = 0;
  bool has_room_ = true;
  /// The newest snapshot taken by this node.
  snapshot_taken taken_;
  /// The newest commit index up to which this node is known not to be a member; 0 if it was never notified.
  index_t removed_as_of_ = 0;
  /// removed_at_ <= removed_as_of_: the newest configuration that is known not to include this node.
  index_t removed_at_ = 0;
  /// With removed_at_: this node's membership ended no later than this.
  time_point removed_before_{};
  absences absences_;
  /// Origin of the snapshot chunk that is being stored.
  struct stored_chunk {
    term_t term;
    std::uint64_t session;
  };
  std::optional<stored_chunk> storing_;
  std::uint64_t last_write_ = 0;
  /// Writes handed to the log store that are not known to be on disk, oldest first; their numbers rise.
  std::deque<unsynced_write> unsynced_;
  std::size_t unsynced_bytes_ = 0;
  time_point now_;
  /// When this process last ran again after a pause. The disk is not blamed for the time before.
  time_point resumed_;
  bool stalled_ = false;
  index_t known_commit_ = 0;
  lag_clock lag_;
  bool installing_ = false;
};

} // namespace troupe::raft
