// The messages between actors, grouped by who sends them. Those with `visit_fields` may cross the network.
#pragma once

#include "actors/protocol/wire.hpp"
#include "raft/events.hpp"
#include "raft/membership/formation.hpp"

#include <cstdint>
#include <string>
#include <troupe/errors.hpp>
#include <variant>
#include <vector>

namespace troupe::raft {

// Formation: the messages between the state machines of raft/membership/formation.hpp.
template <class F> void visit_fields(propose_formation& x, F&& f) { f(x.cluster, x.proposer, x.members, x.backup); }
template <class F> void visit_fields(formation_answer& x, F&& f) { f(x.cluster, x.node, x.promised, x.reason); }
template <class F> void visit_fields(abort_formation& x, F&& f) { f(x.cluster, x.proposer); }
TROUPE_WIRE_MESSAGE(propose_formation)
TROUPE_WIRE_MESSAGE(formation_answer)
TROUPE_WIRE_MESSAGE(abort_formation)

// Requests to the leader about the cluster itself. The `tag` belongs to one process and is not sent. Requests of other
// nodes are always those of operators (`change_members::asked`).
template <class F> void visit_fields(change_members& x, F&& f) { f(x.based_on, x.add, x.remove); }
template <class F> void visit_fields(transfer_leadership& x, F&& f) { f(x.target); }

} // namespace troupe::raft

namespace troupe {

using raft::abort_formation;
using raft::formation_answer;
using raft::propose_formation;

// -- handshakes ------------------------------------------------------------------------------------------------------

/// Increased with every change after which nodes of different versions could misunderstand each other.
inline constexpr std::uint32_t protocol_version = 8;

/// Describes a node to its peer. The dialing node sends it, and the other node answers with its own.
struct hello {
  std::uint32_t protocol = protocol_version;
  node_id node;
  std::uint64_t incarnation = 0;
  membership_state state = membership_state::fresh;
  /// The cluster that the node belongs to or has promised to form.
  cluster_id cluster;
  /// The address at which the node can be dialed, as host:port.
  std::string address;
  /// The checksum of the backup that this node was given as the initial state of a new cluster; 0: none.
  std::uint64_t backup = 0;
  /// The node is not a member of a cluster and asks to become a member of the receiver's.
  bool wants_to_join = false;
  /// The linked nodes that do not belong to a cluster; empty once the sender belongs to one
  /// (raft/membership/introductions.hpp).
  std::vector<raft::member> introduces;
  /// Set in an answer that refuses the link: the reason, human-readable.
  std::string refusal;
};
template <class F> void visit_fields(hello& x, F&& f) {
  f(x.protocol, x.node, x.incarnation, x.state, x.cluster, x.address, x.backup, x.wants_to_join, x.introduces,
    x.refusal);
}
TROUPE_WIRE_MESSAGE(hello)

/// From a client: asks the node to serve it.
struct client_hello {
  std::uint32_t protocol = protocol_version;
};
template <class F> void visit_fields(client_hello& x, F&& f) { f(x.protocol); }
TROUPE_WIRE_MESSAGE(client_hello)

/// The node's answer to a client.
struct client_welcome {
  node_id node;
  cluster_id cluster;
  node_id leader;
  std::string leader_address;
  /// Every member with the address at which it was last seen.
  std::vector<raft::member> members;
  /// Set if the node refuses the client: the reason, human-readable.
  std::string refusal;
};
template <class F> void visit_fields(client_welcome& x, F&& f) {
  f(x.node, x.cluster, x.leader, x.leader_address, x.members, x.refusal);
}
TROUPE_WIRE_MESSAGE(client_welcome)

// -- requests: fronts, clients and proxies ---------------------------------------------------------------------------

enum class access : std::uint8_t { write = 0, linearizable_read = 1, stale_read = 2 };
constexpr bool is_known(access a) { return static_cast<std::uint8_t>(a) <= 2; }

/// One request. The sender chooses `number`, which is unique among its unanswered requests. `payload` is an encoded
/// services command. A read without a payload queries nothing; it is answered when everything that was done before it
/// is applied on this node.
struct command {
  std::uint64_t number = 0;
  access how = access::write;
  /// 0: the receiver's default.
  std::uint32_t timeout_ms = 0;
  raft::bytes payload;
};
template <class F> void visit_fields(command& x, F&& f) { f(x.number, x.how, x.timeout_ms, x.payload); }

/// What nodes ask of the leader about the cluster itself. It is not for a service, and clients cannot ask for it.
using cluster_change = std::variant<raft::change_members, raft::transfer_leadership>;

/// One request for a change of the cluster. `number` and `timeout_ms` are as in `command`.
struct change_request {
  std::uint64_t number = 0;
  std::uint32_t timeout_ms = 0;
  cluster_change what;
};
template <class F> void visit_fields(change_request& x, F&& f) { f(x.number, x.timeout_ms, x.what); }

/// Answered with one or more outcome_batch to the sender, which together answer each command and each change exactly
/// once.
struct command_batch {
  /// Set by a node's proxy: only the leader accepts the commands, so no command is forwarded twice.
  bool forwarded = false;
  std::vector<command> commands;
  std::vector<change_request> changes = {};
};
template <class F> void visit_fields(command_batch& x, F&& f) { f(x.forwarded, x.commands, x.changes); }
TROUPE_WIRE_MESSAGE(command_batch)

struct command_outcome {
  std::uint64_t number = 0;
  errc code = errc::none;
  /// The log index of the write, or the index at which the read was served.
  index_t index = 0;
  /// The encoded result, or the text of the error.
  std::string payload;
};
template <class F> void visit_fields(command_outcome& x, F&& f) { f(x.number, x.code, x.index, x.payload); }

struct outcome_batch {
  /// The leader that the sender knows; 0 if it knows none.
  node_id leader;
  std::string leader_address;
  std::vector<command_outcome> outcomes;
};
template <class F> void visit_fields(outcome_batch& x, F&& f) { f(x.leader, x.leader_address, x.outcomes); }
TROUPE_WIRE_MESSAGE(outcome_batch)

/// From a node's proxy to the leader's: asks for an index at which its waiting reads may be served.
struct read_index_request {
  std::uint64_t number = 0;
};
template <class F> void visit_fields(read_index_request& x, F&& f) { f(x.number); }
TROUPE_WIRE_MESSAGE(read_index_request)

struct read_index_answer {
  std::uint64_t number = 0;
  /// `none`, or why there is no index.
  errc code = errc::none;
  index_t index = 0;
};
template <class F> void visit_fields(read_index_answer& x, F&& f) { f(x.number, x.code, x.index); }
TROUPE_WIRE_MESSAGE(read_index_answer)

// -- backups that are to be restored, from node to node --------------------------------------------------------------

/// A chunk of a backup, which the receiver keeps until the backup is restored. A chunk without bytes asks how much of
/// the backup the receiver has.
struct stage_chunk {
  cluster_id cluster;
  raft::snapshot_id backup;
  std::uint64_t offset = 0;
  raft::bytes data;
};
template <class F> void visit_fields(stage_chunk& x, F&& f) { f(x.cluster, x.backup, x.offset, x.data); }
TROUPE_WIRE_MESSAGE(stage_chunk)

/// The answer to stage_chunk.
struct chunk_staged {
  raft::snapshot_id backup;
  /// The receiver has all bytes before this offset. At the backup's size, the backup is complete, checked and on disk.
  std::uint64_t next = 0;
  /// `none`, or why the chunk was not accepted.
  errc code = errc::none;
  /// With a code: the reason in words.
  std::string problem;
};
template <class F> void visit_fields(chunk_staged& x, F&& f) { f(x.backup, x.next, x.code, x.problem); }
TROUPE_WIRE_MESSAGE(chunk_staged)

} // namespace troupe

/// Calls X(type, name) for every message that crosses the network. The type is named as in namespace troupe.
#define TROUPE_WIRE_MESSAGES(X)                                                                                        \
  X(raft::vote_request, "troupe.vote_request")                                                                         \
  X(raft::vote_response, "troupe.vote_response")                                                                       \
  X(raft::append_request, "troupe.append_request")                                                                     \
  X(raft::append_response, "troupe.append_response")                                                                   \
  X(raft::snapshot_request, "troupe.snapshot_request")                                                                 \
  X(raft::snapshot_response, "troupe.snapshot_response")                                                               \
  X(raft::timeout_now, "troupe.timeout_now")                                                                           \
  X(raft::removed_notice, "troupe.removed_notice")                                                                     \
  X(raft::removed_answer, "troupe.removed_answer")                                                                     \
  X(raft::probe, "troupe.probe")                                                                                       \
  X(raft::probe_ack, "troupe.probe_ack")                                                                               \
  X(raft::probe_request, "troupe.probe_request")                                                                       \
  X(hello, "troupe.hello")                                                                                             \
  X(client_hello, "troupe.client_hello")                                                                               \
  X(client_welcome, "troupe.client_welcome")                                                                           \
  X(propose_formation, "troupe.propose_formation")                                                                     \
  X(formation_answer, "troupe.formation_answer")                                                                       \
  X(abort_formation, "troupe.abort_formation")                                                                         \
  X(command_batch, "troupe.command_batch")                                                                             \
  X(outcome_batch, "troupe.outcome_batch")                                                                             \
  X(read_index_request, "troupe.read_index_request")                                                                   \
  X(read_index_answer, "troupe.read_index_answer")                                                                     \
  X(stage_chunk, "troupe.stage_chunk")                                                                                 \
  X(chunk_staged, "troupe.chunk_staged")
