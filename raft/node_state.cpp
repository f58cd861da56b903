#include "raft/node_state.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>

namespace troupe::raft {
namespace {

[[noreturn]] void broken(const std::string& rule) { throw std::logic_error("raft: broken invariant: " + rule); }

/// A pre-vote promises nothing, and a granted one carries a term that no node is in yet.
bool is_pre_vote(const rpc& message) {
  if (const auto* request = std::get_if<vote_request>(&message)) return request->pre;
  if (const auto* response = std::get_if<vote_response>(&message)) return response->pre && response->granted;
  return false;
}

bool promises_durability(const rpc& message) {
  if (const auto* response = std::get_if<vote_response>(&message)) return response->granted && !response->pre;
  if (const auto* response = std::get_if<append_response>(&message)) return response->success;
  return false;
}

/// A hundred years. Longer absences in messages are clamped to this, to avoid overflow.
constexpr std::uint64_t longest_absence_ms = 100ULL * 365 * 24 * 3600 * 1000;
/// Removal times that differ by less than this count as equal: the difference may be message delay.
constexpr std::chrono::milliseconds removal_time_tolerance{100};

} // namespace

node_state::node_state(node_id self, cluster_id cluster, options opts, std::uint64_t seed, const recovered& disk)
    : self_(self), cluster_(cluster), incarnation_(prng{~seed}.next()), opts_(opts), random_(seed), hard_(disk.hard),
      durable_hard_(disk.hard), log_(disk), commit_(disk.snapshot ? disk.snapshot->last.index : 0),
      durable_index_(disk.last_index), released_(commit_), loaded_(commit_), state_lost_(disk.state_lost),
      has_room_(disk.has_room) {}

void node_state::enter(const event& what, time_point now, output& out) {
  // After a pause of the process, the disk's answers are waiting in a mailbox. The pause must not be blamed on the
  // disk.
  if (!stalled_ && now - now_ > opts_.stall_limit() * 3 / 4) resumed_ = now;
  now_ = now;
  if (!absences_.begun()) absences_.note(log_.current(), now);
  if (const auto* done = std::get_if<persisted>(&what)) persisted_to(done->mark);
  check_disk(out);
  lag_.note(released_, known_commit(), now);
}

duration node_state::disk_wait(time_point now) const noexcept {
  return unsynced_.empty() ? duration::zero() : now - std::max(unsynced_.front().since, resumed_);
}

void node_state::check_disk(output& out) {
  const bool stalls = !unsynced_.empty() && disk_wait(now_) >= opts_.stall_limit();
  if (stalls == std::exchange(stalled_, stalls)) return;
  out.disk_stalled = stalls;
}

std::optional<time_point> node_state::disk_deadline() const noexcept {
  if (unsynced_.empty() || stalled_) return std::nullopt;
  // Checking at least twice per limit shows that the process ran in between.
  const auto limit = opts_.stall_limit();
  return std::min(std::max(unsynced_.front().since, resumed_) + limit, now_ + limit / 2);
}

duration node_state::draw_election_timeout() {
  const auto timeout = random_.between(opts_.election_min, opts_.election_max);
  return has_room_ && can_apply() ? timeout : timeout + 2 * opts_.election_max;
}

void node_state::note_missing(index_t index) {
  // A snapshot loaded since then already covers the entry.
  if (state_lost_ || index <= loaded_) return;
  if (index == 0 || index > commit_) broken("only a committed entry can lack its state");
  missing_at_ = index;
  // Entries released from here on were not applied. They will be released again.
  released_ = std::min(released_, index - 1);
}

bool node_state::note_removed(output& out, const removed_notice& notice, time_point now) {
  // Any other configuration in this node's log up to `notice.commit`, even one at `notice.index`, was never committed.
  // No leader truncates it from this log, because this node is not a member.
  if (log_.configuration_index() > notice.commit) return false;
  removed_as_of_ = std::max(removed_as_of_, notice.commit);
  const auto out_for = std::chrono::milliseconds{std::min(notice.out_for_ms, longest_absence_ms)};
  const auto left_before = now - out_for;
  const bool earlier = left_before + removal_time_tolerance < removed_before_;
  if (notice.index < removed_at_ || (notice.index == removed_at_ && !earlier)) return true;
  removed_at_ = notice.index;
  removed_before_ = left_before;
  out.removed = notice.index;
  out.dismissed = notice.dismissed || was_dismissed(notice.forgotten);
  out.removed_for = out_for;
  return true;
}

bool node_state::was_dismissed(index_t forgotten) const {
  const auto [member_at, left] = log_.last_membership(self_);
  if (left && left->first <= commit_) {
    // After `commit_` this node may have been added and dismissed again.
    const bool forgotten_since = forgotten > commit_ || (member_at == 0 && left->second.forgotten > 0);
    return forgotten_since || left->second.is_dismissed(self_);
  }
  // A dismissal before this node's last membership concerned another node, or was revoked.
  return forgotten > 0 && member_at <= forgotten;
}

void node_state::note_own_removal(output& out) {
  const auto at = log_.configuration_index();
  removed_as_of_ = std::max(removed_as_of_, commit_);
  if (at <= removed_at_) return;
  removed_at_ = at;
  removed_before_ = time_point::min(); // this node saw its removal itself: no notice can be news
  out.removed = at;
  out.dismissed = members().is_dismissed(self_);
}

write& node_state::current_write(output& out) {
  if (!out.write_now) {
    out.write_now.emplace();
    out.write_now->number = ++last_write_;
    unsynced_.push_back({last_write_, log_.last_index(), hard_, false, now_, 0});
  }
  return *out.write_now;
}

void node_state::set_hard(output& out, term_t term, node_id voted_for) {
  if (term < hard_.term) broken("a term never falls");
  if (term == hard_.term && hard_.voted_for && hard_.voted_for != voted_for) broken("one vote per term");
  hard_ = {term, voted_for};
  current_write(out).hard = hard_;
  unsynced_.back().hard = hard_;
}

void node_state::truncate_from(output& out, index_t from) {
  if (from <= commit_) broken("a committed entry is never truncated");
  auto& change = current_write(out);
  if (!change.append.empty()) broken("a write truncates before it appends");
  change.truncate_from = from;
  const auto configured = log_.configuration_index();
  log_.truncate_from(from);
  if (log_.configuration_index() != configured) absences_.note(log_.current(), now_);
  durable_index_ = std::min(durable_index_, from - 1);
  for (auto& pending : unsynced_) pending.last_index = std::min(pending.last_index, from - 1);
}

void node_state::append(output& out, entry e) {
  auto& change = current_write(out);
  log_.append(e);
  if (e.kind == entry_kind::configuration) absences_.note(log_.current(), now_);
  unsynced_.back().last_index = e.index;
  unsynced_.back().bytes += e.cost();
  unsynced_bytes_ += e.cost();
  change.append.push_back(std::move(e));
}

void node_state::persisted_to(const durable_mark& mark) {
  if (mark.number > last_write_) broken("only writes that were handed over can be on disk");
  while (!unsynced_.empty() && unsynced_.front().number <= mark.number) {
    const auto& done = unsynced_.front();
    durable_index_ = done.last_index;
    durable_hard_ = done.hard;
    if (done.number == mark.number && done.last_index == mark.last_index && !done.log_replaced &&
        log_.term_at(mark.last_index) != mark.last_term)
      broken("the last entry on disk has the same term as in memory");
    unsynced_bytes_ -= done.bytes;
    unsynced_.pop_front();
  }
}

void node_state::commit_to(index_t index) { commit_ = std::max(commit_, index); }

void node_state::store(output& out, const snapshot_request& chunk) {
  if (storing_) return;
  storing_ = {hard_.term, chunk.session};
  out.store_chunk = chunk;
}

std::optional<std::uint64_t> node_state::note_stored() noexcept {
  const auto stored = std::exchange(storing_, std::nullopt);
  return stored && stored->term == hard_.term ? std::optional{stored->session} : std::nullopt;
}

bool node_state::install(output& out, const snapshot_point& at) {
  const auto index = at.last.index;
  // This node may have acknowledged entries up to its log's start. A snapshot that ends before it does not cover them.
  if (index < log_.start().index) return !state_lost_;
  if (index <= released_) return true;
  const auto configured = log_.configuration_index();
  // An uncommitted configuration may differ from the snapshot's at the same index.
  const bool same_members = configured == at.configuration_index && configured <= commit_;
  if (log_.term_at(index) != at.last.term) {
    // The log ends before the snapshot, or conflicts with the committed entry there. Entries after that index, if any,
    // cannot be in a later leader's log; the snapshot covers the others.
    auto& change = current_write(out);
    if (change.truncate_from || !change.append.empty()) broken("a write resets the log before it appends");
    change.reset_to = at.last;
    log_.reset(at);
    if (!same_members) absences_.note_after_gap(log_.current(), now_);
    // The snapshot is on disk, and recovery resets the log to it whether or not this write reaches the disk.
    durable_index_ = index;
    for (auto& pending : unsynced_) {
      pending.last_index = index;
      pending.log_replaced = true;
    }
    unsynced_.back().log_replaced = false;
  } else {
    log_.adopt_members(at);
    if (log_.configuration_index() != configured) absences_.note_after_gap(log_.current(), now_);
  }
  commit_to(index);
  released_ = loaded_ = index;
  state_lost_ = false;
  if (missing_at_ <= index) missing_at_ = 0;
  installing_ = false;
  out.load = at;
  return true;
}

index_t node_state::compactable() const {
  const auto tail = log_.tail_behind(taken_.newest.index, opts_.log_tail, opts_.log_tail_bytes);
  return std::min({taken_.oldest_kept, tail, released_, durable_index_});
}

void node_state::compact(output& out, index_t pinned) {
  const auto up_to = std::min(compactable(), pinned);
  if (up_to <= log_.start().index) return;
  log_.compact(up_to);
  out.compact_to = up_to;
}

void node_state::release_commits(output& out) {
  // Entries that are not on this disk must stay in the cache, since they cannot be read back.
  const auto on_disk = std::min(commit_, durable_index_);
  if (state_lost_ || !can_apply()) {
    // Nothing is released. These entries are read from the disk when they are needed.
    log_.evict(on_disk, opts_.cache_bytes);
    return;
  }
  if (commit_ <= released_) return;
  // Only entries that an earlier step released may be evicted: this step's entries have not been picked up yet.
  log_.evict(std::min(released_, on_disk), opts_.cache_bytes);
  released_ = commit_;
  out.commit_to = commit_;
}

void node_state::send_durably(output& out, rpc message) const {
  if (stalled_ && !all_durable()) return;
  (all_durable() ? out.send_now : out.send_after_persist).push_back(std::move(message));
}

void node_state::validate(const output& out) const {
  for (const auto& message : out.send_now) {
    if (!is_pre_vote(message) && head_of(message).term > durable_hard_.term)
      broken("nothing of a term leaves before the term is durable");
    if (promises_durability(message) && !all_durable()) broken("a promise waits for the disk");
  }
  if (out.commit_to && (*out.commit_to > commit_ || *out.commit_to != released_))
    broken("only committed entries are applied");
  if (stalled_ && out.next_role && out.next_role->to == role_kind::candidate)
    broken("a node whose disk stalls does not campaign");
  if (out.load && (out.load->last.index > commit_ || out.load->last.index > released_))
    broken("only committed snapshots are loaded");
  if (log_.start().index > commit_ && !state_lost_) broken("only committed entries are compacted");
  if (missing_at_ > commit_ || (missing_at_ > 0 && released_ >= missing_at_))
    broken("no entry is released at or after one whose state is missing");
  if (commit_ > log_.last_index()) broken("the commit index lies within the log");
  if (durable_index_ > log_.last_index()) broken("the durable prefix lies within the log");
  if (out.write_now && out.write_now->number != last_write_) broken("writes are numbered without gaps");
  if (!out.send_after_persist.empty() && all_durable()) broken("a message waits for a write only if one is pending");
}

} // namespace troupe::raft
