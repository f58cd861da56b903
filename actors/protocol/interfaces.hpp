// Every typed interface on one page: which actor receives which messages, and from which actor. The messages that are
// declared here stay inside one process; messages.hpp declares those that may cross the network.
#pragma once

#include "actors/protocol/apply_messages.hpp"
#include "actors/protocol/health_messages.hpp"
#include "actors/protocol/messages.hpp"
#include "actors/protocol/proxy_messages.hpp"
#include "actors/protocol/role_report.hpp"
#include "actors/protocol/snapshot_messages.hpp"
#include "raft/catch_up.hpp"
#include "raft/events.hpp"
#include "raft/replicator.hpp"
#include "raft/storage.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <troupe/discovery.hpp>
#include <troupe/requests.hpp>
#include <vector>

namespace troupe {

/// Counts the role objects of a node in this process, including restarts. It identifies late messages.
using epoch_t = std::uint64_t;

/// The only timer message. Only the one with the actor's newest generation is valid; see timer_slot.hpp.
struct timer {
  std::uint64_t generation = 0;
};
/// An actor sends this to itself: everything that is in the mailbox before it forms one batch.
struct flush {};

/// Follows the messages of a connection through the actors that handle them. The destruction of the token tells the
/// network layer that all messages before it were handled.
struct flow_mark {
  std::shared_ptr<const void> token;
};

// -- endpoint: the one address that other nodes can reach -------------------------------------------------------------

struct role_changed;
struct replicator_started;
struct leader_known;
struct peers_view;
struct staging_known;
struct replica_down;

/// From other nodes: handshakes, formation, Raft messages, forwarded commands. From this node: where to route them, and
/// which peers are linked.
using endpoint_handle = compat::handle<
    hello(hello), client_welcome(client_hello), formation_answer(propose_formation), void(abort_formation),
    void(raft::vote_request), void(raft::vote_response), void(raft::append_request), void(raft::append_response),
    void(raft::snapshot_request), void(raft::snapshot_response), void(raft::timeout_now), void(raft::removed_notice),
    void(raft::removed_answer), void(raft::probe), void(raft::probe_ack), void(raft::probe_request),
    void(command_batch), void(read_index_request), chunk_staged(stage_chunk), void(flow_mark), void(role_changed),
    void(replicator_started), void(leader_known), void(replica_down), void(peers_view), void(staging_known)>;

// -- links: connections to other nodes --------------------------------------------------------------------------------

/// Raft messages. Each goes to the peer that its header names, and is dropped if there is no link to that peer.
struct outbound {
  std::vector<raft::rpc> messages;
};
/// A peer passed the handshake (link_up), or its link was lost (link_down).
struct link_up {
  hello peer;
  endpoint_handle endpoint;
};
struct link_down {
  node_id peer;
};
using link_watcher = compat::handle<void(link_up), void(link_down)>;
/// Subscribes to link_up and link_down, beginning with a link_up for every present link.
struct watch_links {
  link_watcher watcher;
};

/// The linked peers, this node itself, and how many of the discovered addresses respond. Sent in full on every change.
struct peers_view {
  struct peer {
    hello who;
    endpoint_handle endpoint;
  };
  hello self;
  /// Sorted by node id.
  std::vector<peer> peers;
  /// The members of the log's newest configuration.
  std::vector<raft::member> members;
  /// This field and the next two: as in raft::peer_sightings.
  bool discovered = false;
  std::size_t listed = 1;
  std::size_t unanswered = 0;
};
using peers_watcher = compat::handle<void(peers_view)>;
struct watch_peers {
  peers_watcher watcher;
};

/// This node's new identity, which links sends to the peers.
struct identity_changed {
  hello self;
};
/// The members of the log's newest configuration.
struct members_changed {
  std::vector<raft::member> members;
};
/// From the endpoint: a peer dialed this node and was accepted.
struct peer_seen {
  hello peer;
};

/// The status of one address.
struct peer_status {
  std::string address;
  /// 0 until a node has answered at this address.
  node_id id;
  std::uint64_t incarnation = 0;
  membership_state state = membership_state::fresh;
  cluster_id cluster;
  bool up = false;
  /// The address is this node's own.
  bool self = false;
  /// Why there is no link, if the reason is known.
  std::string problem;
};
struct get_peers {};
struct peer_list {
  std::vector<peer_status> peers;
};
/// From the node: whether it serves. While it does not, problems with links are logged as warnings.
struct service_state {
  bool serves = false;
};

/// From a peer_link: the state of its address.
struct link_report {
  enum class status : std::uint8_t { down, up, self, refused };
  std::string address;
  status now = status::down;
  /// Set with `up`, and with other states if a node answered.
  hello peer;
  endpoint_handle endpoint;
  std::string problem;
};

using links_handle = compat::handle<void(outbound), void(health_batch), void(watch_links), void(watch_peers),
                                    void(identity_changed), void(peers_changed), void(members_changed), void(peer_seen),
                                    void(link_report), void(service_state), void(watch_identity), peer_list(get_peers)>;

/// Asks a connector for the endpoint behind its address.
struct dial {};
struct dialed {
  endpoint_handle endpoint;
};
/// The endpoint that was found there does not answer any more. The connector closes the connection to its node, as that
/// may be the fault, and makes a new connection at the next dial.
struct disconnect {
  endpoint_handle endpoint;
};
using connector_handle = compat::handle<dialed(dial), void(disconnect)>;
/// Keeps one address connected. `dial`: a node is known to be there now, so a long pause between attempts ends.
using peer_link_handle = compat::handle<void(identity_changed), void(timer), void(dial)>;

// -- health monitor: which peers are alive ----------------------------------------------------------------------------

using health_watcher = compat::handle<void(health_changed)>;
/// Subscribes to health_changed.
struct watch_health {
  health_watcher watcher;
};
using health_monitor_handle =
    compat::handle<void(peers_view), void(raft::probe), void(raft::probe_ack), void(raft::probe_request),
                   void(watch_health), health_report(get_health), void(timer)>;

// -- formation: the first cluster -------------------------------------------------------------------------------------

/// From the formation actor to the node: whether the replica may run, and as part of which cluster.
using raft::membership_decision;
using membership_listener = compat::handle<void(membership_decision)>;
/// From the node to the formation actor: the log holds a configuration of this cluster. Harmless when repeated.
using raft::formed_now;
/// From the endpoint: a member of this cluster sends entries to this node, which does not belong to a cluster yet.
using raft::invited;
/// From the node: whether it asks to become a member, for the first time or again.
using raft::set_wants_to_join;
/// Asks for a formation_status.
struct get_formation {};
struct formation_status {
  membership_state state = membership_state::fresh;
  cluster_id cluster;
  /// What formation waits for, in words; empty if it waits for nothing.
  std::string note;
};
using formation_handle =
    compat::handle<formation_answer(propose_formation), void(abort_formation), void(peers_view), void(formed_now),
                   void(invited), void(set_wants_to_join), void(timer), formation_status(get_formation)>;

// -- log store: the disk ----------------------------------------------------------------------------------------------

struct attach_role;

/// A role's change of the disk, and the messages that may be sent when it is on disk.
struct store_write {
  raft::write change;
  std::vector<raft::rpc> then_send;
};
/// Asks for entries that are on disk. Answered with a log_chunk.
struct read_log {
  index_t first = 0;
  index_t last = 0;
  std::size_t max_bytes = 0;
};
struct log_chunk {
  std::vector<raft::entry> entries;
};
/// From the role: entries up to here are no longer needed.
struct compact_log {
  index_t up_to = 0;
};
struct log_synced;
/// Asks for the durable mark; answered when everything sent before this request is on disk.
struct sync_log {};
using log_store_handle = compat::handle<void(store_write), log_chunk(read_log), log_synced(sync_log), void(compact_log),
                                        void(attach_role), void(role_changed), void(flush), void(timer)>;

// -- roles ------------------------------------------------------------------------------------------------------------

/// From the proxy: commands for the log. Answered with proposals_settled.
struct propose_batch {
  std::vector<raft::proposal> proposals;
};
/// From the proxy: asks for a read index. Answered with reads_settled.
struct read_index {
  raft::tag_t tag = 0;
};
/// From the log store: everything up to the mark is on disk. It holds for the node, so it does not depend on the role.
struct log_synced {
  raft::durable_mark mark;
};
/// From a replicator to the leader that started it.
struct replicator_report {
  epoch_t epoch = 0;
  raft::peer_report report;
};
struct replicator_fetch {
  epoch_t epoch = 0;
  node_id peer;
  raft::fetch_request request;
};
/// From a sender of the role of this epoch: it sends to the role's successor from now on.
struct drained {
  epoch_t epoch = 0;
};
using role_handle =
    compat::handle<void(raft::vote_request), void(raft::vote_response), void(raft::append_request),
                   void(raft::append_response), void(raft::snapshot_request), void(raft::snapshot_response),
                   void(raft::timeout_now), void(raft::removed_notice), void(raft::removed_answer), void(propose_batch),
                   void(read_index), void(raft::change_members), void(raft::transfer_leadership), void(log_synced),
                   void(chunk_stored), void(raft::snapshot_taken), void(raft::disk_space), void(raft::state_missing),
                   void(replicator_report), void(replicator_fetch), void(flow_mark), void(drained), void(timer),
                   role_report(get_role_report)>;

/// The new role registers with the log store. Answered with log_synced of the present mark.
struct attach_role {
  epoch_t epoch = 0;
  role_handle role;
};

/// To every actor that sends to a role: send to `role` from now on. The receiver sends `drained{retiring}` to
/// `previous`, if there is one.
struct role_changed {
  epoch_t epoch = 0;
  raft::role_kind kind = raft::role_kind::follower;
  term_t term = 0;
  role_handle role;
  epoch_t retiring = 0;
  role_handle previous;
};
/// The role learned which node leads (0: not known). For proxies and status.
struct leader_known {
  term_t term = 0;
  node_id leader;
};

// -- replicators ------------------------------------------------------------------------------------------------------

using replicator_handle = compat::handle<void(raft::replicate), void(raft::append_response),
                                         void(raft::snapshot_response), void(raft::fetched), void(timer)>;

/// To the endpoint: route answers of this term from this peer to this replicator.
struct replicator_started {
  term_t term = 0;
  node_id peer;
  replicator_handle replicator;
};

// -- dispatcher and services ------------------------------------------------------------------------------------------

using service_handle = compat::handle<void(apply_batch), void(query_items), void(view_state), void(replace_state)>;

struct get_applied {};
struct applied_status {
  index_t applied = 0;
  /// The newest snapshot; no id if there is none.
  raft::snapshot_id snapshot;
  /// Why the last attempt to take a snapshot failed; empty if it did not fail.
  std::string snapshot_error;
  /// For how long an entry that was given to a service has not been applied.
  raft::duration behind{};
  /// The state's size, summed over the services that report it.
  std::uint64_t state_bytes = 0;
};
using dispatcher_handle =
    compat::handle<void(commit_entries), void(query_batch), void(applied_batch), void(queried_batch),
                   void(role_changed), void(state_view), void(adopt_state), void(discarded_state),
                   snapshot_result(take_snapshot), void(snapshot_written), void(snapshot_wanted), void(snapshot_lost),
                   void(timer), applied_status(get_applied)>;

// -- snapshot store: the snapshots on disk ----------------------------------------------------------------------------

struct attach_dispatcher {
  dispatcher_handle dispatcher;
};
/// A chunk_request is answered with an empty chunk if no snapshot can serve it.
using snapshot_store_handle =
    compat::handle<void(write_snapshot), void(snapshot_written), void(store_chunk), void(discarded_state),
                   void(check_snapshot), void(snapshot_checked), raft::snapshot_chunk(raft::chunk_request),
                   backup_opened(open_backup), backup_chunk(read_backup), void(close_backup), void(attach_dispatcher),
                   void(role_changed), void(timer)>;

// -- staging store: backups that wait to be restored ------------------------------------------------------------------

/// Serves the bytes of complete backups, as the snapshot store serves those of snapshots. It is notified of new
/// snapshots, because a backup is not needed after them.
using staging_handle = compat::handle<chunk_staged(stage_chunk), raft::snapshot_chunk(raft::chunk_request),
                                      backup_loaded(load_backup), void(raft::snapshot_taken), void(timer)>;
/// To the endpoint: where it sends the chunks that come from other nodes. Null while the replica is down.
struct staging_known {
  staging_handle staging;
};

// -- proxy: requests of users and other nodes -------------------------------------------------------------------------

/// Sent at every start of the replica: its dispatcher and its services. Commands for other services must not get into
/// the log.
struct replica_up {
  dispatcher_handle dispatcher;
  std::set<std::string, std::less<>> services;
  /// For each service, the tags of the commands that cannot make its state larger.
  std::map<std::string, std::set<std::string, std::less<>>, std::less<>> non_growing = {};
};

/// A front, as seen by a client or node that drains its fronts before its proxy.
using drainable_front = compat::handle<front_drained(drain_front)>;

/// From fronts, clients and other proxies: command_batch. From other proxies also read_index_request, outcome_batch and
/// read_index_answer. All other messages come from this node or this client.
using proxy_handle =
    compat::handle<void(command_batch), void(outcome_batch), void(read_index_request), void(read_index_answer),
                   void(proposals_settled), void(reads_settled), void(transfer_failed), void(applied_batch),
                   void(snapshot_covered), void(state_size), void(raft::transferred), void(queried_batch),
                   void(role_changed), void(leader_known), void(members_changed), void(removal_known), void(link_up),
                   void(link_down), void(link_problem), void(replica_up), void(replica_down), void(flow_mark),
                   void(flush), void(timer), proxy_drained(drain_proxy)>;

} // namespace troupe

#include "actors/protocol/message_code.hpp" // last: it names all messages above
