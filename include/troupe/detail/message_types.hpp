// The message types of the library, in the order of their numbers under CAF 1.x (troupe/detail/type_ids.hpp). Each list
// calls X(type) for each type, named as in namespace troupe.
#pragma once

/// The types that cross the network. Nodes of all versions must agree on their numbers: append new types, and never
/// remove one.
#define TROUPE_WIRE_TYPES(X)                                                                                           \
  X(compat::own_error_code)                                                                                            \
  X(raft::vote_request)                                                                                                \
  X(raft::vote_response)                                                                                               \
  X(raft::append_request)                                                                                              \
  X(raft::append_response)                                                                                             \
  X(raft::snapshot_request)                                                                                            \
  X(raft::snapshot_response)                                                                                           \
  X(raft::timeout_now)                                                                                                 \
  X(raft::removed_notice)                                                                                              \
  X(raft::removed_answer)                                                                                              \
  X(raft::probe)                                                                                                       \
  X(raft::probe_ack)                                                                                                   \
  X(raft::probe_request)                                                                                               \
  X(hello)                                                                                                             \
  X(client_hello)                                                                                                      \
  X(client_welcome)                                                                                                    \
  X(raft::propose_formation)                                                                                           \
  X(raft::formation_answer)                                                                                            \
  X(raft::abort_formation)                                                                                             \
  X(command_batch)                                                                                                     \
  X(outcome_batch)                                                                                                     \
  X(read_index_request)                                                                                                \
  X(read_index_answer)                                                                                                 \
  X(stage_chunk)                                                                                                       \
  X(chunk_staged)

/// The types that stay in their process, of actors/protocol/interfaces.hpp.
#define TROUPE_PROTOCOL_TYPES(X)                                                                                       \
  X(timer)                                                                                                             \
  X(flush)                                                                                                             \
  X(flow_mark)                                                                                                         \
  X(outbound)                                                                                                          \
  X(health_batch)                                                                                                      \
  X(get_health)                                                                                                        \
  X(health_report)                                                                                                     \
  X(health_changed)                                                                                                    \
  X(watch_health)                                                                                                      \
  X(raft::invited)                                                                                                     \
  X(raft::set_wants_to_join)                                                                                           \
  X(raft::change_members)                                                                                              \
  X(raft::transfer_leadership)                                                                                         \
  X(raft::transferred)                                                                                                 \
  X(link_up)                                                                                                           \
  X(link_down)                                                                                                         \
  X(watch_links)                                                                                                       \
  X(peers_view)                                                                                                        \
  X(watch_peers)                                                                                                       \
  X(identity_changed)                                                                                                  \
  X(members_changed)                                                                                                   \
  X(peer_seen)                                                                                                         \
  X(get_peers)                                                                                                         \
  X(peer_list)                                                                                                         \
  X(link_report)                                                                                                       \
  X(dial)                                                                                                              \
  X(dialed)                                                                                                            \
  X(disconnect)                                                                                                        \
  X(raft::membership_decision)                                                                                         \
  X(raft::formed_now)                                                                                                  \
  X(get_formation)                                                                                                     \
  X(formation_status)                                                                                                  \
  X(store_write)                                                                                                       \
  X(read_log)                                                                                                          \
  X(log_chunk)                                                                                                         \
  X(sync_log)                                                                                                          \
  X(compact_log)                                                                                                       \
  X(raft::snapshot_taken)                                                                                              \
  X(raft::disk_space)                                                                                                  \
  X(raft::chunk_request)                                                                                               \
  X(raft::snapshot_chunk)                                                                                              \
  X(view_state)                                                                                                        \
  X(state_view)                                                                                                        \
  X(replace_state)                                                                                                     \
  X(discarded_state)                                                                                                   \
  X(write_snapshot)                                                                                                    \
  X(snapshot_written)                                                                                                  \
  X(snapshot_wanted)                                                                                                   \
  X(snapshot_lost)                                                                                                     \
  X(check_snapshot)                                                                                                    \
  X(snapshot_checked)                                                                                                  \
  X(open_backup)                                                                                                       \
  X(backup_opened)                                                                                                     \
  X(state_size)                                                                                                        \
  X(store_chunk)                                                                                                       \
  X(chunk_stored)                                                                                                      \
  X(adopt_state)                                                                                                       \
  X(snapshot_covered)                                                                                                  \
  X(attach_dispatcher)                                                                                                 \
  X(load_backup)                                                                                                       \
  X(backup_loaded)                                                                                                     \
  X(staging_known)                                                                                                     \
  X(raft::state_missing)                                                                                               \
  X(propose_batch)                                                                                                     \
  X(read_index)                                                                                                        \
  X(log_synced)                                                                                                        \
  X(replicator_report)                                                                                                 \
  X(replicator_fetch)                                                                                                  \
  X(drained)                                                                                                           \
  X(get_role_report)                                                                                                   \
  X(role_report)                                                                                                       \
  X(attach_role)                                                                                                       \
  X(role_changed)                                                                                                      \
  X(leader_known)                                                                                                      \
  X(replicator_started)                                                                                                \
  X(raft::replicate)                                                                                                   \
  X(raft::fetched)                                                                                                     \
  X(commit_entries)                                                                                                    \
  X(query_batch)                                                                                                       \
  X(apply_batch)                                                                                                       \
  X(query_items)                                                                                                       \
  X(applied_batch)                                                                                                     \
  X(queried_batch)                                                                                                     \
  X(get_applied)                                                                                                       \
  X(applied_status)                                                                                                    \
  X(proposals_settled)                                                                                                 \
  X(reads_settled)                                                                                                     \
  X(transfer_failed)                                                                                                   \
  X(replica_up)                                                                                                        \
  X(replica_down)                                                                                                      \
  X(drain_proxy)                                                                                                       \
  X(proxy_drained)                                                                                                     \
  X(drain_front)                                                                                                       \
  X(front_drained)                                                                                                     \
  X(removal_known)                                                                                                     \
  X(link_problem)                                                                                                      \
  X(service_state)

/// The types that stay in their process, of public headers.
#define TROUPE_PUBLIC_TYPES(X)                                                                                         \
  X(node_status)                                                                                                       \
  X(get_status)                                                                                                        \
  X(stop_node)                                                                                                         \
  X(take_snapshot)                                                                                                     \
  X(snapshot_result)                                                                                                   \
  X(make_backup)                                                                                                       \
  X(backup_made)                                                                                                       \
  X(read_backup)                                                                                                       \
  X(backup_chunk)                                                                                                      \
  X(close_backup)                                                                                                      \
  X(stage_backup)                                                                                                      \
  X(backup_staged)                                                                                                     \
  X(change_membership)                                                                                                 \
  X(membership_changed)                                                                                                \
  X(move_leadership)                                                                                                   \
  X(leadership_moved)                                                                                                  \
  X(watch_events)                                                                                                      \
  X(make_restore)                                                                                                      \
  X(restore_made)                                                                                                      \
  X(cluster_event)                                                                                                     \
  X(peers_changed)                                                                                                     \
  X(node_identity)                                                                                                     \
  X(watch_identity)                                                                                                    \
  X(report_peers)

/// The types that stay in their process, of single actors.
#define TROUPE_ACTOR_TYPES(X)                                                                                          \
  X(log_opened)                                                                                                        \
  X(client_link_report)                                                                                                \
  X(ask_proxy)                                                                                                         \
  X(proxy_answer)                                                                                                      \
  X(node_actors)                                                                                                       \
  X(part_started)                                                                                                      \
  X(connection_made)                                                                                                   \
  X(configuration_known)                                                                                               \
  X(disk_condition)                                                                                                    \
  X(raft::broken_promise)                                                                                              \
  X(removed_from_cluster)

/// All types that stay in their process.
#define TROUPE_LOCAL_TYPES(X)                                                                                          \
  TROUPE_PROTOCOL_TYPES(X)                                                                                             \
  TROUPE_PUBLIC_TYPES(X)                                                                                               \
  TROUPE_ACTOR_TYPES(X)
