// The messages between actors, grouped by who sends them. Those with `visit_fields` may cross the network.
#pragma once

#include "actors/errors.hpp"
#include "actors/protocol/wire.hpp"
#include "raft/membership/formation.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace troupe::raft {

// First formation: what the machine in raft/membership/formation.hpp tells its peers.
template <class F> void visit_fields(form& x, F&& f) { f(x.cluster, x.proposer, x.members, x.backup); }
template <class F> void visit_fields(form_answer& x, F&& f) { f(x.cluster, x.node, x.promised, x.reason); }
template <class F> void visit_fields(abort_form& x, F&& f) { f(x.cluster, x.proposer); }
TROUPE_WIRE_MESSAGE(form)
TROUPE_WIRE_MESSAGE(form_answer)
TROUPE_WIRE_MESSAGE(abort_form)

} // namespace troupe::raft

namespace troupe {

using raft::abort_form;
using raft::cluster_id;
using raft::form;
using raft::form_answer;
using raft::index_t;
using raft::membership_state;
using raft::node_id;
using raft::term_t;

// -- handshakes ------------------------------------------------------------------------------------------------------

/// Raised when nodes of different versions could misunderstand each other.
inline constexpr std::uint32_t protocol_version = 7;

/// Who a node is. Sent by a dialer, and by the other side as the answer.
struct hello {
  std::uint32_t protocol = protocol_version;
  node_id node;
  std::uint64_t incarnation = 0;
  membership_state state = membership_state::fresh;
  /// The cluster it belongs or is promised to.
  cluster_id cluster;
  /// Where it can be dialed, as host:port.
  std::string address;
  /// The checksum of the backup that this node was given for a new cluster to begin with; 0: none.
  std::uint64_t backup = 0;
  /// It is no member of a cluster and asks to become one of the receiver's.
  bool seeks = false;
  /// Other nodes without a cluster that it is linked to, as long as it has none itself
  /// (raft/membership/introductions.hpp).
  std::vector<raft::member> introduces;
  /// Set in an answer that refuses the link: why, for a person.
  std::string refusal;
};
template <class F> void visit_fields(hello& x, F&& f) {
  f(x.protocol, x.node, x.incarnation, x.state, x.cluster, x.address, x.backup, x.seeks, x.introduces, x.refusal);
}
TROUPE_WIRE_MESSAGE(hello)

/// A process that is no member asks to be served.
struct client_hello {
  std::uint32_t protocol = protocol_version;
};
template <class F> void visit_fields(client_hello& x, F&& f) { f(x.protocol); }
TROUPE_WIRE_MESSAGE(client_hello)

struct client_welcome {
  node_id node;
  cluster_id cluster;
  node_id leader;
  std::string leader_address;
  /// Every member with the address it was last seen at.
  std::vector<raft::member> members;
  std::string refusal;
};
template <class F> void visit_fields(client_welcome& x, F&& f) {
  f(x.node, x.cluster, x.leader, x.leader_address, x.members, x.refusal);
}
TROUPE_WIRE_MESSAGE(client_welcome)

// -- the front door: fronts, clients and proxies
// -----------------------------------------------------------------------

enum class access : std::uint8_t { write = 0, linearizable_read = 1, stale_read = 2 };
constexpr bool is_known(access a) { return static_cast<std::uint8_t>(a) <= 2; }

/// One request. `number` is the sender's, unique among its unanswered ones; `payload` is an encoded services command. A
/// read without one asks nothing: it is answered when whatever was done before it is applied here.
struct command {
  std::uint64_t number = 0;
  access how = access::write;
  std::uint32_t timeout_ms = 0;
  raft::bytes payload;
};
template <class F> void visit_fields(command& x, F&& f) { f(x.number, x.how, x.timeout_ms, x.payload); }

/// Answered to the sender with one or more outcome_batch that together answer each command exactly once.
struct command_batch {
  /// True from a node's proxy: the receiver must be the leader, or refuses; nobody forwards twice.
  bool forwarded = false;
  std::vector<command> commands;
};
template <class F> void visit_fields(command_batch& x, F&& f) { f(x.forwarded, x.commands); }
TROUPE_WIRE_MESSAGE(command_batch)

struct command_outcome {
  std::uint64_t number = 0;
  errc code = errc::none;
  /// The log index that was written, or at which was read.
  index_t index = 0;
  /// The encoded result, or the error's text.
  std::string payload;
};
template <class F> void visit_fields(command_outcome& x, F&& f) { f(x.number, x.code, x.index, x.payload); }

struct outcome_batch {
  /// The leader as far as the sender knows.
  node_id leader;
  std::string leader_address;
  std::vector<command_outcome> outcomes;
};
template <class F> void visit_fields(outcome_batch& x, F&& f) { f(x.leader, x.leader_address, x.outcomes); }
TROUPE_WIRE_MESSAGE(outcome_batch)

/// A node's proxy asks the leader's for an index at which its waiting reads may be served.
struct read_index_request {
  std::uint64_t number = 0;
};
template <class F> void visit_fields(read_index_request& x, F&& f) { f(x.number); }
TROUPE_WIRE_MESSAGE(read_index_request)

struct read_index_answer {
  std::uint64_t number = 0;
  /// `none`, or why not.
  errc code = errc::none;
  index_t index = 0;
};
template <class F> void visit_fields(read_index_answer& x, F&& f) { f(x.number, x.code, x.index); }
TROUPE_WIRE_MESSAGE(read_index_answer)

// -- backups that are to be restored, from node to node --------------------------------------------------------------

/// A piece of a backup, which its receiver keeps until it is restored. Without bytes it asks where the receiver stands.
struct stage_piece {
  cluster_id cluster;
  raft::snapshot_id backup;
  std::uint64_t offset = 0;
  raft::bytes data;
};
template <class F> void visit_fields(stage_piece& x, F&& f) { f(x.cluster, x.backup, x.offset, x.data); }
TROUPE_WIRE_MESSAGE(stage_piece)

/// The answer.
struct piece_staged {
  raft::snapshot_id backup;
  /// Everything before this offset is here. The backup's size: it is whole, was checked, and is on disk.
  std::uint64_t next = 0;
  /// `none`, or why the piece was not taken, with a text for a person.
  errc code = errc::none;
  std::string problem;
};
template <class F> void visit_fields(piece_staged& x, F&& f) { f(x.backup, x.next, x.code, x.problem); }
TROUPE_WIRE_MESSAGE(piece_staged)

} // namespace troupe
