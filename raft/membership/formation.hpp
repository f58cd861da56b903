// First formation: how nodes that belong to nothing yet agree, once, on who their cluster is.
//
// Two phases. The node with the lowest id of exactly n nodes proposes a set of members; each of them promises itself to
// it, on disk, before it answers; only with every promise does the proposer make the first configuration. A promise
// ends by its proposer's abort alone, and an abort leaves only when the proposer's own promise is off its disk. So of
// two formations that share a node at most one completes, whatever is lost, repeated, reordered or restarted. What a
// node sees of others (`peer_sightings`) decides only when it tries; it may be partial or out of date.
//
// A node counts whom it is linked to and whom those introduce (introductions.hpp), and promises itself only to a set
// that has all of them. Nodes that reach each other by any chain of links thus come to count the same set, whichever
// addresses each was given. Sets that overlap share a node, whose one promise decides between them. Sets that share no
// node can both form only while no link joins a node of one to a node of the other: each node of such a link counts the
// other one, and neither proposes nor promises without it.
//
// A cluster may begin with the state of a backup, which its checksum names, instead of nothing. Then nobody writes a
// first configuration: it stands in the restored state, so that whoever can campaign has that state. The nodes that
// were given the backup begin with it once they know that every promise is in: the proposer from the promises, others
// by seeing a node that is formed. The rest begin with nothing and get the state from those.
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

/// fresh: belongs to nothing. promised: to one formation that may or may not complete. formed: to a cluster, for good.
enum class membership_state : std::uint8_t { fresh = 0, promised = 1, formed = 2 };
constexpr bool is_known(membership_state s) { return static_cast<std::uint8_t>(s) <= 2; }

/// The proposer asks for a promise: to be one of exactly these members and of no other new cluster.
struct form {
  cluster_id cluster;
  node_id proposer;
  /// Sorted by id; the proposer is the first.
  std::vector<member> members;
  /// Of the backup that the cluster begins with; 0: none.
  std::uint64_t backup = 0;
  friend bool operator==(const form&, const form&) = default;
};
/// Whether the members are in order and the proposer is the first of them.
bool well_formed(const form& f);
struct form_answer {
  cluster_id cluster;
  node_id node;
  bool promised = false;
  std::string reason;
};
/// The proposer gives a formation up: promises to it end.
struct abort_form {
  cluster_id cluster;
  node_id proposer;
};

/// With how many nodes a node forms a cluster, itself included: 0 never (it only ever joins), 1 alone, n with exactly
/// n. Nothing: as many as discovery lists, and then only while every listed address answers.
struct bootstrap_rule {
  std::optional<std::size_t> expect;
  /// The checksum of the backup that this node was given for the cluster to begin with; 0: none.
  std::uint64_t backup = 0;
};

/// Another node that answers now, as it described itself.
struct sighted_peer {
  node_id node;
  membership_state state = membership_state::fresh;
  cluster_id cluster;
  std::string address;
  /// As in its bootstrap_rule.
  std::uint64_t backup = 0;
  /// Whom it introduces: nodes without a cluster that are linked to it (introductions.hpp).
  std::vector<member> introduces = {};
};
/// All that a node knows of others at one moment.
struct peer_sightings {
  std::vector<sighted_peer> peers;
  /// Whether discovery has reported at all.
  bool discovered = false;
  /// Distinct nodes behind the addresses that discovery reported, this node included.
  std::size_t listed = 1;
  /// Addresses that discovery reported and behind which nobody answers.
  std::size_t unanswered = 0;
};

/// What a node has on disk about this.
struct membership_record {
  /// Set once the cluster is formed.
  cluster_id cluster;
  /// Kept until the log holds a configuration.
  std::optional<form> promise;
  /// The backup that the cluster began with, 0 for none; set with `cluster`.
  std::uint64_t restored = 0;
  membership_state state() const noexcept {
    return cluster ? membership_state::formed : promise ? membership_state::promised : membership_state::fresh;
  }
};

/// The bytes of a promise on disk, and back; nothing for bytes that are no promise.
std::string encode(const form& promise);
std::optional<form> decode_promise(std::string_view data);

/// The record of the newest `formation_output::store` is on disk.
struct record_synced {};
/// The log of this node holds a configuration of this cluster.
struct formed_now {
  cluster_id cluster;
};
/// A member of this cluster has this node in its configuration: it sends entries to it.
struct invited {
  cluster_id cluster;
  node_id by;
};
/// A node that is promised to a cluster or belongs to it, and is no member of it, asks to become one, or does so no
/// more.
struct seeking {
  bool yes = false;
};
using formation_event =
    std::variant<tick, peer_sightings, form, form_answer, abort_form, record_synced, formed_now, invited, seeking>;

/// What the replicated core may do: run as part of `cluster`, beginning with the configuration `initial` if its log is
/// empty and one is given; or, `withdrawn`, end and leave nothing behind. With a `backup`, `initial` stands in the
/// state that is restored from it, and nowhere else.
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
  /// Must reach the disk; `record_synced` tells when it has. There is at most one on its way.
  std::optional<membership_record> store;
  std::vector<addressed<form>> ask;
  std::vector<addressed<form_answer>> answer;
  std::vector<addressed<abort_form>> abort;
  std::optional<membership_decision> decided;
  /// What happened, or what is waited for, for a person; an alarm if it needs one to go on.
  std::string note;
  bool alarm = false;
};

/// Pure machine of one node. It wants a tick every few hundred milliseconds.
class formation {
 public:
  /// `seed` draws cluster ids and pauses: two runs of any two nodes must not share one.
  formation(member self, bootstrap_rule rule, std::uint64_t seed, membership_record on_disk);

  formation_output start();
  formation_output step(const formation_event& what);

  /// What is on disk.
  const membership_record& record() const noexcept { return durable_; }
  /// Whether it asks to become a member of a cluster that there is.
  bool seeks() const noexcept;

 private:
  void on(const tick&, formation_output& out);
  void on(const peer_sightings& what, formation_output& out);
  void on(const form& what, formation_output& out);
  void on(const form_answer& what, formation_output& out);
  void on(const abort_form& what, formation_output& out);
  void on(const record_synced&, formation_output& out);
  void on(const formed_now& what, formation_output& out);
  void on(const invited& what, formation_output& out);
  void on(const seeking& what, formation_output& out);

  bool is_invitation(const form& promise) const;
  void note_clusters();
  bool proposing() const noexcept;
  std::optional<std::size_t> wanted() const;
  std::string why_not_now() const;
  std::optional<std::uint64_t> backup_to_restore(std::string& conflict) const;
  bool seals_by_sight() const;
  std::string waits_for_state() const;
  membership_decision decision() const;
  std::string why_no_promise(const form& what) const;
  std::string why_give_up() const;
  void advance(formation_output& out);
  void propose(formation_output& out);
  void ask_for_promises(formation_output& out);
  void count_promises(formation_output& out);
  void give_up(std::string why, formation_output& out);
  void deny_strays(formation_output& out) const;
  void store(membership_record next, formation_output& out);

  member self_;
  bootstrap_rule rule_;
  prng random_;
  membership_record durable_;
  /// On its way to the disk.
  std::optional<membership_record> storing_;
  /// Arrived while something else was on its way to the disk.
  std::optional<formed_now> formed_later_;
  peer_sightings view_;
  /// Who promised, this node included; only while it proposes.
  std::set<node_id> yes_;
  /// Ticks to wait before the next proposal.
  std::uint64_t pause_ = 0;
  /// A tick has passed since the view changed.
  bool settled_ = false;
  /// Those that it sees members of, and for how many ticks it has seen these.
  std::set<cluster_id> clusters_;
  std::uint64_t clusters_for_ = 0;
  /// As it was told.
  std::optional<bool> seeking_;
};

} // namespace troupe::raft
