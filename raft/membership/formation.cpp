#include "raft/membership/formation.hpp"

#include "raft/base/address.hpp"
#include "raft/membership/introductions.hpp"
#include "raft/membership_rules.hpp"

#include <algorithm>
#include <utility>

namespace troupe::raft {
namespace {

/// A node asks to join a cluster only after it has seen members of no other cluster for this many ticks. Members of a
/// second cluster may respond a little later. If both clusters admitted the node, it would remain in one of them as a
/// learner that never catches up.
constexpr std::uint64_t ticks_before_join = 3;

bool contains(const std::vector<member>& members, node_id id) {
  return std::any_of(members.begin(), members.end(), [&](const member& m) { return m.id == id; });
}

std::string name_of(std::uint64_t backup) {
  return backup == 0 ? "no backup" : "the backup " + to_string(node_id{backup});
}

} // namespace

formation::formation(member self, bootstrap_rule rule, std::uint64_t seed, membership_record on_disk)
    : self_(std::move(self)), rule_(rule), random_(seed), durable_(std::move(on_disk)) {}

formation_output formation::start() {
  formation_output out;
  switch (durable_.state()) {
  case membership_state::fresh:
    advance(out);
    break;
  case membership_state::promised:
    if (proposing()) {
      // Answers to an earlier run may be lost, so all members are asked again.
      promised_ = {self_.id};
      count_promises(out);
      if (!storing_) ask_for_promises(out);
    } else {
      out.decided = membership_decision{durable_.promise->cluster, {}, false};
    }
    break;
  case membership_state::formed:
    // All promises were made before the cluster was stored, but the first configuration may not have reached the log.
    out.decided = decision();
    if (const auto why = waits_for_state(); !why.empty())
      out.note = "the cluster " + to_string(durable_.cluster) + " is formed" + why;
    break;
  }
  return out;
}

formation_output formation::step(const formation_event& what) {
  formation_output out;
  std::visit([&](const auto& x) { on(x, out); }, what);
  return out;
}

void formation::on(const tick&, formation_output& out) {
  if (pause_ > 0) --pause_;
  settled_ = true;
  ++clusters_for_;
  abort_stale_promises(out);
  if (proposing() && !storing_) ask_for_promises(out);
  advance(out);
}

void formation::on(const peer_sightings& what, formation_output& out) {
  view_ = what;
  settled_ = false;
  note_clusters();
  abort_stale_promises(out);
  advance(out);
}

void formation::on(const propose_formation& what, formation_output& out) {
  // This promise is on its way to the disk. The answer follows once it is there.
  if (storing_ && storing_->promise == what) return;
  const auto reason = why_no_promise(what);
  const bool given = durable_.promise == what;
  if (!reason.empty() || given) {
    out.answer.push_back({what.proposer, {what.cluster, self_.id, reason.empty(), reason}});
    return;
  }
  store({.cluster = {}, .promise = what}, out);
}

void formation::on(const formation_answer& what, formation_output& out) {
  if (!proposing() || storing_ || what.cluster != durable_.promise->cluster) return;
  if (!contains(durable_.promise->members, what.node)) return;
  if (!what.promised) {
    give_up("node " + to_string(what.node) + " refused: " + what.reason, out);
    return;
  }
  promised_.insert(what.node);
  count_promises(out);
}

void formation::on(const abort_formation& what, formation_output& out) {
  // An abort that comes too early may be ignored: the proposer repeats it as long as it sees the promise.
  if (storing_ || durable_.state() != membership_state::promised || proposing()) return;
  if (durable_.promise->cluster != what.cluster || durable_.promise->proposer != what.proposer) return;
  store({}, out);
}

void formation::on(const record_synced&, formation_output& out) {
  if (!storing_) return;
  const auto before = std::exchange(durable_, *std::exchange(storing_, std::nullopt));
  if (durable_.cluster) {
    if (!before.cluster) out.note = "the cluster " + to_string(durable_.cluster) + " is formed" + waits_for_state();
    if (durable_.promise) out.decided = decision();
  } else if (proposing()) {
    promised_ = {self_.id};
    count_promises(out);
    if (!storing_) ask_for_promises(out);
  } else if (durable_.promise) {
    out.note = "promised to cluster " + to_string(durable_.promise->cluster);
    out.answer.push_back({durable_.promise->proposer, {durable_.promise->cluster, self_.id, true, {}}});
    out.decided = membership_decision{durable_.promise->cluster, {}, false};
  } else if (before.promise && before.promise->proposer == self_.id) {
    for (const auto& m : before.promise->members)
      if (m.id != self_.id) out.abort.push_back({m.id, {before.promise->cluster, self_.id}});
  } else if (before.promise) {
    out.note =
        "the promise to cluster " + to_string(before.promise->cluster) + " ended: its proposer abandoned the formation";
    out.decided = membership_decision{before.promise->cluster, {}, true};
  }
  if (const auto later = std::exchange(formed_later_, std::nullopt); later && !storing_) on(*later, out);
}

void formation::on(const formed_now& what, formation_output& out) {
  if (storing_) {
    formed_later_ = what;
    return;
  }
  if (durable_.cluster && (durable_.cluster != what.cluster || !durable_.promise)) return;
  if (durable_.promise && durable_.promise->cluster != what.cluster) return;
  // The promise is no longer needed. Its absence means that the log held a configuration: a member that then has no log
  // has lost it.
  const auto restored = durable_.promise ? durable_.promise->backup : durable_.restored;
  store({.cluster = what.cluster, .promise = std::nullopt, .restored = restored}, out);
}

/// An invitation is stored as a promise to an existing cluster, and kept until the log holds a configuration.
void formation::on(const invited& what, formation_output& out) {
  if (storing_ || durable_.state() != membership_state::fresh || rule_.backup != 0 || what.by == self_.id) return;
  out.note = "node " + to_string(what.by) + " admits this node to cluster " + to_string(what.cluster);
  store({.cluster = {},
         .promise = propose_formation{.cluster = what.cluster, .proposer = what.by, .members = {{what.by, {}}}}},
        out);
}

void formation::on(const set_wants_to_join& what, formation_output&) { wants_to_join_ = what.yes; }

bool formation::is_invitation(const propose_formation& promise) const { return !contains(promise.members, self_.id); }

void formation::note_clusters() {
  std::set<cluster_id> now;
  for (const auto& p : view_.peers)
    if (p.state == membership_state::formed) now.insert(p.cluster);
  if (std::exchange(clusters_, now) != now) clusters_for_ = 0;
}

bool formation::wants_to_join() const noexcept {
  switch (durable_.state()) {
  case membership_state::fresh:
    // If there are several clusters, only an operator can choose one.
    return rule_.expect == std::size_t{0} && rule_.backup == 0 && clusters_.size() == 1 &&
           clusters_for_ >= ticks_before_join;
  case membership_state::promised:
    return is_invitation(*durable_.promise) && wants_to_join_.value_or(true);
  case membership_state::formed:
    return wants_to_join_.value_or(false);
  }
  return false;
}

bool formation::proposing() const noexcept {
  return !durable_.cluster && durable_.promise && durable_.promise->proposer == self_.id;
}

/// The number of nodes with which this node forms a cluster; nullopt if it is not known yet.
std::optional<std::size_t> formation::wanted() const {
  if (rule_.expect) return rule_.expect;
  if (!view_.discovered || view_.unanswered > 0) return std::nullopt;
  return view_.listed;
}

/// The backup that this node and the nodes in view were given, 0 if none was. Returns nullopt and sets `conflict` if
/// they were given different backups.
std::optional<std::uint64_t> formation::backup_to_restore(std::string& conflict) const {
  auto holder = self_.id;
  auto backup = rule_.backup;
  for (const auto& p : view_.peers) {
    if (p.backup == 0 || p.backup == backup) continue;
    if (backup != 0) {
      conflict = "node " + to_string(holder) + " was given " + name_of(backup) + " to restore, and node " +
                 to_string(p.node) + " " + name_of(p.backup) + ": give the same backup to all nodes that get one";
      return std::nullopt;
    }
    backup = p.backup;
    holder = p.node;
  }
  return backup;
}

/// What the replica may do once every promise is made.
membership_decision formation::decision() const {
  membership_decision made{durable_.cluster, {}, false};
  const auto& promise = durable_.promise;
  if (!promise || promise->cluster != durable_.cluster) return made;
  const bool begins = promise->backup != 0 ? rule_.backup == promise->backup : promise->proposer == self_.id;
  if (!begins) return made;
  made.initial.voters = promise->members;
  made.backup = promise->backup;
  return made;
}

/// For a formed node: a note about the backup for which it waits; empty if it waits for none.
std::string formation::waits_for_state() const {
  const auto& promise = durable_.promise;
  if (!promise || promise->backup == 0 || promise->backup == rule_.backup) return {};
  return ", waiting for the state of " + name_of(promise->backup) + " from a node that was given it";
}

/// True if this node has the backup with which its cluster begins, and sees that the cluster is formed.
bool formation::sees_completion() const {
  if (durable_.state() != membership_state::promised || rule_.backup == 0) return false;
  if (durable_.promise->backup != rule_.backup) return false;
  return std::any_of(view_.peers.begin(), view_.peers.end(), [&](const sighted_peer& p) {
    return p.state == membership_state::formed && p.cluster == durable_.promise->cluster;
  });
}

/// The reason why a fresh node does not propose; empty if it should.
std::string formation::why_not_now() const {
  const auto n = wanted();
  if (n == 0 && clusters_.size() > 1) return "sees members of more than one cluster, and asks to join none of them";
  if (n == 0) return "waiting to be added to a cluster";
  for (const auto& p : view_.peers)
    if (p.state != membership_state::fresh)
      return "node " + to_string(p.node) +
             (p.state == membership_state::promised ? " is promised to cluster " + to_string(p.cluster)
                                                    : " belongs to cluster " + to_string(p.cluster) +
                                                          ": to join it, start this node to expect 0 nodes, or ask a "
                                                          "member to add it");
  if (!n) {
    if (!view_.discovered) return "waiting for discovery";
    return "waiting for " + std::to_string(view_.unanswered) + " of the listed addresses to respond";
  }
  const auto heard_of = introduced_to(self_.id, view_.peers);
  const auto seen = view_.peers.size() + heard_of.size() + 1;
  if (seen != *n) return "sees " + std::to_string(seen) + " nodes, forms a cluster of exactly " + std::to_string(*n);
  if (!heard_of.empty())
    return "others see node " + to_string(heard_of.front().id) + " at " + heard_of.front().address +
           ", but this node is not linked to it";
  for (const auto& p : view_.peers)
    if (p.node < self_.id) return "waiting for node " + to_string(p.node) + " to propose";
  return {};
}

/// The reason why this node does not promise itself to `what`; empty if it may or already has.
std::string formation::why_no_promise(const propose_formation& what) const {
  if (!well_formed(what) || !contains(what.members, self_.id)) return "not a formation of this node";
  // A promise that was made stays valid, even if the limits were different then: its proposer may already count it.
  if (durable_.promise != what) {
    if (what.members.size() > max_members) return "too many members";
    for (const auto& m : what.members)
      if (address_problem(m.address)) return "a member's address is not host:port";
  }
  if (durable_.cluster && durable_.cluster != what.cluster) return "belongs to cluster " + to_string(durable_.cluster);
  if (storing_ && !storing_->cluster) return "another formation is being processed";
  if (durable_.promise && durable_.promise != what)
    return "promised to cluster " + to_string(durable_.promise->cluster);
  if (durable_.promise) return {};
  if (rule_.backup != 0 && rule_.backup != what.backup)
    return "was given " + name_of(rule_.backup) + " to restore, but the formation has " + name_of(what.backup);
  // Formed, but not by a promise: this node was not part of the formation.
  if (durable_.cluster) return "already belongs to the cluster";
  const auto n = wanted();
  if (!n) return view_.discovered ? "a listed address has not responded yet" : "discovery has not reported yet";
  if (*n != what.members.size())
    return *n == 0 ? "only joins existing clusters" : "forms a cluster of exactly " + std::to_string(*n) + " nodes";
  for (const auto& p : view_.peers) {
    if (p.state != membership_state::fresh && p.cluster != what.cluster)
      return "sees node " + to_string(p.node) + " of cluster " + to_string(p.cluster);
    if (!contains(what.members, p.node)) return "sees node " + to_string(p.node) + ", which is not among the members";
  }
  for (const auto& m : introduced_to(self_.id, view_.peers))
    if (!contains(what.members, m.id))
      return "is introduced to node " + to_string(m.id) + ", which is not among the members";
  return {};
}

/// The reason why this node's own formation cannot continue; empty if it can.
std::string formation::why_give_up() const {
  const auto& mine = *durable_.promise;
  for (const auto& p : view_.peers) {
    if (p.state != membership_state::fresh && p.cluster != mine.cluster)
      return "node " + to_string(p.node) +
             (p.state == membership_state::promised ? " is promised to cluster " : " belongs to cluster ") +
             to_string(p.cluster);
    if (!contains(mine.members, p.node)) return "node " + to_string(p.node) + " has appeared";
  }
  // The other members count introduced nodes, too, and would refuse.
  for (const auto& m : introduced_to(self_.id, view_.peers))
    if (!contains(mine.members, m.id)) return "others see node " + to_string(m.id) + " at " + m.address;
  return {};
}

/// Takes the step that the newest view and this node's state require, if any.
void formation::advance(formation_output& out) {
  if (storing_) return;
  if (sees_completion()) {
    store({.cluster = durable_.promise->cluster, .promise = durable_.promise, .restored = rule_.backup}, out);
    return;
  }
  if (proposing()) {
    if (auto why = why_give_up(); !why.empty()) give_up(std::move(why), out);
    return;
  }
  if (durable_.state() != membership_state::fresh || pause_ > 0) return;
  std::string conflict;
  if (!backup_to_restore(conflict)) {
    out.note = std::move(conflict);
    out.alarm = true;
    return;
  }
  out.note = why_not_now();
  // Other nodes may see their peers a little later than this node does, and would refuse an early request.
  const bool may_propose = settled_ || view_.peers.empty();
  if (out.note.empty() && may_propose) propose(out);
}

void formation::propose(formation_output& out) {
  std::string conflict;
  propose_formation mine{.cluster = {},
                         .proposer = self_.id,
                         .members = {self_},
                         .backup = backup_to_restore(conflict).value_or(0)}; // has a value: see `advance`
  while (!mine.cluster) mine.cluster.value = random_.next();
  for (const auto& p : view_.peers) mine.members.push_back({p.node, p.address});
  std::sort(mine.members.begin(), mine.members.end(), [](const member& a, const member& b) { return a.id < b.id; });
  out.note = "proposes cluster " + to_string(mine.cluster) + " of " + std::to_string(mine.members.size()) + " nodes";
  if (mine.backup != 0) out.note += ", with the state of " + name_of(mine.backup);
  store({.cluster = {}, .promise = std::move(mine)}, out);
}

void formation::ask_for_promises(formation_output& out) {
  for (const auto& m : durable_.promise->members)
    if (!promised_.contains(m.id)) out.ask.push_back({m.id, *durable_.promise});
}

void formation::count_promises(formation_output& out) {
  if (promised_.size() == durable_.promise->members.size())
    store({.cluster = durable_.promise->cluster, .promise = durable_.promise, .restored = durable_.promise->backup},
          out);
}

/// Removes this node's own promise from the disk. The aborts are sent once it is removed.
void formation::give_up(std::string why, formation_output& out) {
  out.note = "abandons the formation of cluster " + to_string(durable_.promise->cluster) + ": " + std::move(why);
  // Random, so that two proposers that block each other do not stay in step.
  pause_ = 2 + random_.next() % 6;
  promised_.clear();
  store({}, out);
}

/// Sends an abort to each node that is promised to another formation than this node. An abort can be lost, and a late
/// request can lead to a promise for which no proposer waits. The abort takes effect only if this node was the proposer
/// of that formation; otherwise the receiver ignores it.
void formation::abort_stale_promises(formation_output& out) const {
  for (const auto& p : view_.peers) {
    if (p.state != membership_state::promised || p.cluster == durable_.cluster) continue;
    if (durable_.promise && durable_.promise->cluster == p.cluster) continue;
    out.abort.push_back({p.node, {p.cluster, self_.id}});
  }
}

void formation::store(membership_record next, formation_output& out) {
  storing_ = next;
  out.store = std::move(next);
}

} // namespace troupe::raft
