// Formation: how fresh nodes agree, once, on the members of a new cluster.
//
// Two phases. Of exactly n nodes, the one with the lowest id proposes a set of members. Each member stores its promise
// to this set on disk before it answers. Only after it has every promise does the proposer make the first
// configuration. Only an abort by its proposer ends a promise, and the proposer sends an abort only after its own
// promise is off its disk. So of two formations that share a node at most one completes, despite message loss,
// duplication, reordering and restarts. What a node sees of others (`peer_sightings`) determines only when it tries; it
// may be partial or out of date.
//
// A node counts its linked peers and the nodes that they introduce (introductions.hpp), and promises itself only to a
// set that contains all of them. All nodes that are connected by a chain of links therefore come to count the same set,
// whichever addresses each was given. Overlapping sets share a node, whose single promise decides between them. Two
// disjoint sets can both form only while there is no link between a node of one and a node of the other: each end of
// such a link counts the other end, and neither proposes nor promises without it.
//
// A cluster may begin with the state of a backup, identified by its checksum, instead of with an empty state. Then no
// node writes a first configuration: the restored state contains it, so only nodes that have that state can campaign.
// The nodes that were given the backup begin with it once they know that every promise is made: the proposer from the
// promises, the others when they see a formed node. All other nodes begin empty and receive the state from those.
#pragma once

#include "raft/base/random.hpp"
#include "raft/base/types.hpp"
#include "raft/entry.hpp"
#include "raft/events.hpp"

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace troupe::raft {

/// The proposer asks for a promise to form a cluster of exactly these members, and no other new cluster.
struct propose_formation {
  cluster_id cluster;
  node_id proposer;
  /// Sorted by id; the proposer is the first.
  std::vector<member> members;
  /// The checksum of the backup with which the cluster begins; 0 if none.
  std::uint64_t backup = 0;
  friend bool operator==(const propose_formation&, const propose_formation&) = default;
};
/// True if the members are sorted and the proposer is the first.
bool well_formed(const propose_formation& f);
struct formation_answer {
  cluster_id cluster;
  node_id node;
  bool promised = false;
  std::string reason;
};
/// The proposer abandons a formation: promises to it end.
struct abort_formation {
  cluster_id cluster;
  node_id proposer;
};

/// When a node forms a cluster.
struct bootstrap_rule {
  /// The exact number of nodes that form a cluster, including this one; 0 if this node never forms one and only joins.
  /// If not set, the number of nodes that discovery lists, and only while every listed address responds.
  std::optional<std::size_t> expect;
  /// The checksum of the backup that this node was given as the cluster's first state; 0 if none.
  std::uint64_t backup = 0;
};

/// Another node that responds now, as it describes itself.
struct sighted_peer {
  node_id node;
  membership_state state = membership_state::fresh;
  cluster_id cluster;
  std::string address;
  /// As in its bootstrap_rule.
  std::uint64_t backup = 0;
  /// The nodes that it introduces: nodes without a cluster that are linked to it (introductions.hpp).
  std::vector<member> introduces = {};
};
/// What a node knows about other nodes at one moment.
struct peer_sightings {
  std::vector<sighted_peer> peers;
  /// Whether discovery has reported at all.
  bool discovered = false;
  /// The number of distinct nodes at the addresses that discovery reported, including this node.
  std::size_t listed = 1;
  /// The number of addresses that discovery reported and at which no node responds.
  std::size_t unanswered = 0;
};

/// A node's formation state on disk.
struct membership_record {
  /// Set once the cluster is formed.
  cluster_id cluster;
  /// Kept until the log holds a configuration.
  std::optional<propose_formation> promise;
  /// The backup with which the cluster began, 0 if none; set together with `cluster`.
  std::uint64_t restored = 0;
  membership_state state() const noexcept {
    return cluster ? membership_state::formed : promise ? membership_state::promised : membership_state::fresh;
  }
};

/// The on-disk encoding of a promise.
std::string encode(const propose_formation& promise);
/// The reverse; nullopt if `data` is not a promise.
std::optional<propose_formation> decode_promise(std::string_view data);

/// The record of the newest `formation_output::store` is on disk.
struct record_synced {};
/// The log of this node holds a configuration of this cluster.
struct formed_now {
  cluster_id cluster;
};
/// A member of this cluster has this node in its configuration and sends entries to it.
struct invited {
  cluster_id cluster;
  node_id by;
};
/// Whether this node, which is promised to a cluster or belongs to it but is not a member, asks to become a member.
struct set_wants_to_join {
  bool yes = false;
};
using formation_event = std::variant<tick, peer_sightings, propose_formation, formation_answer, abort_formation,
                                     record_synced, formed_now, invited, set_wants_to_join>;

/// What the replica may do: run as part of `cluster`, beginning with the configuration `initial` if that is given and
/// the log is empty. If `withdrawn`, it must stop and leave nothing behind. With a `backup`, `initial` is part of the
/// state that is restored from it, and is not written to the log.
struct membership_decision {
  cluster_id cluster;
  configuration initial;
  bool withdrawn = false;
  std::uint64_t backup = 0;
};

template <class Message> struct addressed {
  node_id to;
  Message what;
};

struct formation_output {
  /// Must reach the disk; a `record_synced` event then follows. At most one is pending.
  std::optional<membership_record> store;
  std::vector<addressed<propose_formation>> ask;
  std::vector<addressed<formation_answer>> answer;
  std::vector<addressed<abort_formation>> abort;
  std::optional<membership_decision> decided;
  /// In words, what happened or what the node waits for.
  std::string note;
  /// An operator must act before the formation can continue.
  bool alarm = false;
};

/// Pure state machine of one node. It needs a tick every few hundred milliseconds.
class formation {
 public:
  /// `seed` determines cluster ids and pauses. It must be unique for each run of each node.
  formation(member self, bootstrap_rule rule, std::uint64_t seed, membership_record on_disk);

  formation_output start();
  formation_output step(const formation_event& what);

  /// The record on disk.
  const membership_record& record() const noexcept { return durable_; }
  /// True if this node asks to become a member of an existing cluster.
  bool wants_to_join() const noexcept;

 private:
  void on(const tick&, formation_output& out);
  void on(const peer_sightings& what, formation_output& out);
  void on(const propose_formation& what, formation_output& out);
  void on(const formation_answer& what, formation_output& out);
  void on(const abort_formation& what, formation_output& out);
  void on(const record_synced&, formation_output& out);
  void on(const formed_now& what, formation_output& out);
  void on(const invited& what, formation_output& out);
  void on(const set_wants_to_join& what, formation_output& out);

  bool is_invitation(const propose_formation& promise) const;
  void note_clusters();
  bool proposing() const noexcept;
  std::optional<std::size_t> wanted() const;
  std::string why_not_now() const;
  std::optional<std::uint64_t> backup_to_restore(std::string& conflict) const;
  bool sees_completion() const;
  std::string waits_for_state() const;
  membership_decision decision() const;
  std::string why_no_promise(const propose_formation& what) const;
  std::string why_give_up() const;
  void advance(formation_output& out);
  void propose(formation_output& out);
  void ask_for_promises(formation_output& out);
  void count_promises(formation_output& out);
  void give_up(std::string why, formation_output& out);
  void abort_stale_promises(formation_output& out) const;
  void store(membership_record next, formation_output& out);

  member self_;
  bootstrap_rule rule_;
  prng random_;
  membership_record durable_;
  /// The record on its way to the disk.
  std::optional<membership_record> storing_;
  /// An event that arrived while another record was on its way to the disk.
  std::optional<formed_now> formed_later_;
  peer_sightings view_;
  /// The nodes that have promised, including this one; only while this node proposes.
  std::set<node_id> promised_;
  /// Ticks to wait before the next proposal.
  std::uint64_t pause_ = 0;
  /// A tick has passed since the view changed.
  bool settled_ = false;
  /// The clusters of the formed nodes in view, and the number of ticks since this set changed.
  std::set<cluster_id> clusters_;
  std::uint64_t clusters_for_ = 0;
  /// The newest `set_wants_to_join` event.
  std::optional<bool> wants_to_join_;
};

} // namespace troupe::raft
