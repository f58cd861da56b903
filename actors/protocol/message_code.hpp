// Declares the messages to CAF. Included at the end of interfaces.hpp.
#pragma once

#include "actors/caf.hpp"

#if !TROUPE_CAF_1
#include <caf/detail/tuple_vals.hpp>
#include <caf/detail/type_erased_value_impl.hpp>
#include <caf/mailbox_element.hpp>
#endif

#if TROUPE_CAF_1
/// CAF 1.x has no such templates to share.
#define TROUPE_SHARED_MESSAGE_CODE(type) static_assert(true)
#else
/// Lets one source file of the library hold what CAF compiles for a message type, instead of every file that sends or
/// takes such a message: this halves the time to compile an actor. That file defines TROUPE_HOLDS_MESSAGE_CODE.
#define TROUPE_SHARED_MESSAGE_CODE(type)                                                                               \
  TROUPE_SHARED class caf::detail::type_erased_value_impl<type>;                                                       \
  TROUPE_SHARED class caf::detail::tuple_vals_impl<caf::detail::message_data, type>;                                   \
  TROUPE_SHARED class caf::detail::tuple_vals<type>;                                                                   \
  TROUPE_SHARED class caf::detail::tuple_vals_impl<caf::type_erased_tuple, type>;                                      \
  TROUPE_SHARED caf::message caf::mailbox_element_vals<type>::move_content_to_message();                               \
  TROUPE_SHARED caf::message caf::mailbox_element_vals<type>::copy_content_to_message() const
#ifdef TROUPE_HOLDS_MESSAGE_CODE
#define TROUPE_SHARED template
#else
#define TROUPE_SHARED extern template
#endif
#endif

/// TROUPE_LIBRARY_MESSAGE for a message that no public header declares.
#define TROUPE_INTERNAL_MESSAGE(type)                                                                                  \
  TROUPE_LIBRARY_MESSAGE(type);                                                                                        \
  TROUPE_SHARED_MESSAGE_CODE(type)

// The messages that never leave the process.
TROUPE_INTERNAL_MESSAGE(troupe::timer);
TROUPE_INTERNAL_MESSAGE(troupe::flush);
TROUPE_INTERNAL_MESSAGE(troupe::flow_mark);
TROUPE_INTERNAL_MESSAGE(troupe::outbound);
TROUPE_INTERNAL_MESSAGE(troupe::health_batch);
TROUPE_INTERNAL_MESSAGE(troupe::get_health);
TROUPE_INTERNAL_MESSAGE(troupe::health_report);
TROUPE_INTERNAL_MESSAGE(troupe::health_changed);
TROUPE_INTERNAL_MESSAGE(troupe::watch_health);
TROUPE_INTERNAL_MESSAGE(troupe::raft::invited);
TROUPE_INTERNAL_MESSAGE(troupe::raft::set_wants_to_join);
TROUPE_INTERNAL_MESSAGE(troupe::raft::change_members);
TROUPE_INTERNAL_MESSAGE(troupe::raft::transfer_leadership);
TROUPE_INTERNAL_MESSAGE(troupe::raft::transferred);
TROUPE_INTERNAL_MESSAGE(troupe::link_up);
TROUPE_INTERNAL_MESSAGE(troupe::link_down);
TROUPE_INTERNAL_MESSAGE(troupe::watch_links);
TROUPE_INTERNAL_MESSAGE(troupe::peers_view);
TROUPE_INTERNAL_MESSAGE(troupe::watch_peers);
TROUPE_INTERNAL_MESSAGE(troupe::identity_changed);
TROUPE_INTERNAL_MESSAGE(troupe::members_changed);
TROUPE_INTERNAL_MESSAGE(troupe::peer_seen);
TROUPE_INTERNAL_MESSAGE(troupe::get_peers);
TROUPE_INTERNAL_MESSAGE(troupe::peer_list);
TROUPE_INTERNAL_MESSAGE(troupe::link_report);
TROUPE_INTERNAL_MESSAGE(troupe::dial);
TROUPE_INTERNAL_MESSAGE(troupe::dialed);
TROUPE_INTERNAL_MESSAGE(troupe::disconnect);
TROUPE_INTERNAL_MESSAGE(troupe::raft::membership_decision);
TROUPE_INTERNAL_MESSAGE(troupe::raft::formed_now);
TROUPE_INTERNAL_MESSAGE(troupe::get_formation);
TROUPE_INTERNAL_MESSAGE(troupe::formation_status);
TROUPE_INTERNAL_MESSAGE(troupe::store_write);
TROUPE_INTERNAL_MESSAGE(troupe::read_log);
TROUPE_INTERNAL_MESSAGE(troupe::log_chunk);
TROUPE_INTERNAL_MESSAGE(troupe::sync_log);
TROUPE_INTERNAL_MESSAGE(troupe::compact_log);
TROUPE_INTERNAL_MESSAGE(troupe::raft::snapshot_taken);
TROUPE_INTERNAL_MESSAGE(troupe::raft::disk_space);
TROUPE_INTERNAL_MESSAGE(troupe::raft::chunk_request);
TROUPE_INTERNAL_MESSAGE(troupe::raft::snapshot_chunk);
TROUPE_INTERNAL_MESSAGE(troupe::view_state);
TROUPE_INTERNAL_MESSAGE(troupe::state_view);
TROUPE_INTERNAL_MESSAGE(troupe::replace_state);
TROUPE_INTERNAL_MESSAGE(troupe::discarded_state);
TROUPE_INTERNAL_MESSAGE(troupe::write_snapshot);
TROUPE_INTERNAL_MESSAGE(troupe::snapshot_written);
TROUPE_INTERNAL_MESSAGE(troupe::snapshot_wanted);
TROUPE_INTERNAL_MESSAGE(troupe::snapshot_lost);
TROUPE_INTERNAL_MESSAGE(troupe::check_snapshot);
TROUPE_INTERNAL_MESSAGE(troupe::snapshot_checked);
TROUPE_INTERNAL_MESSAGE(troupe::open_backup);
TROUPE_INTERNAL_MESSAGE(troupe::backup_opened);
TROUPE_INTERNAL_MESSAGE(troupe::state_size);
TROUPE_INTERNAL_MESSAGE(troupe::store_chunk);
TROUPE_INTERNAL_MESSAGE(troupe::chunk_stored);
TROUPE_INTERNAL_MESSAGE(troupe::adopt_state);
TROUPE_INTERNAL_MESSAGE(troupe::snapshot_covered);
TROUPE_INTERNAL_MESSAGE(troupe::attach_dispatcher);
TROUPE_INTERNAL_MESSAGE(troupe::load_backup);
TROUPE_INTERNAL_MESSAGE(troupe::backup_loaded);
TROUPE_INTERNAL_MESSAGE(troupe::staging_known);
TROUPE_INTERNAL_MESSAGE(troupe::raft::state_missing);
TROUPE_INTERNAL_MESSAGE(troupe::propose_batch);
TROUPE_INTERNAL_MESSAGE(troupe::read_index);
TROUPE_INTERNAL_MESSAGE(troupe::log_synced);
TROUPE_INTERNAL_MESSAGE(troupe::replicator_report);
TROUPE_INTERNAL_MESSAGE(troupe::replicator_fetch);
TROUPE_INTERNAL_MESSAGE(troupe::drained);
TROUPE_INTERNAL_MESSAGE(troupe::get_role_report);
TROUPE_INTERNAL_MESSAGE(troupe::role_report);
TROUPE_INTERNAL_MESSAGE(troupe::attach_role);
TROUPE_INTERNAL_MESSAGE(troupe::role_changed);
TROUPE_INTERNAL_MESSAGE(troupe::leader_known);
TROUPE_INTERNAL_MESSAGE(troupe::replicator_started);
TROUPE_INTERNAL_MESSAGE(troupe::raft::replicate);
TROUPE_INTERNAL_MESSAGE(troupe::raft::fetched);
TROUPE_INTERNAL_MESSAGE(troupe::commit_entries);
TROUPE_INTERNAL_MESSAGE(troupe::query_batch);
TROUPE_INTERNAL_MESSAGE(troupe::apply_batch);
TROUPE_INTERNAL_MESSAGE(troupe::query_items);
TROUPE_INTERNAL_MESSAGE(troupe::applied_batch);
TROUPE_INTERNAL_MESSAGE(troupe::queried_batch);
TROUPE_INTERNAL_MESSAGE(troupe::get_applied);
TROUPE_INTERNAL_MESSAGE(troupe::applied_status);
TROUPE_INTERNAL_MESSAGE(troupe::proposals_settled);
TROUPE_INTERNAL_MESSAGE(troupe::reads_settled);
TROUPE_INTERNAL_MESSAGE(troupe::transfer_failed);
TROUPE_INTERNAL_MESSAGE(troupe::replica_up);
TROUPE_INTERNAL_MESSAGE(troupe::replica_down);
TROUPE_INTERNAL_MESSAGE(troupe::drain_proxy);
TROUPE_INTERNAL_MESSAGE(troupe::proxy_drained);
TROUPE_INTERNAL_MESSAGE(troupe::drain_front);
TROUPE_INTERNAL_MESSAGE(troupe::front_drained);
TROUPE_INTERNAL_MESSAGE(troupe::removal_known);
TROUPE_INTERNAL_MESSAGE(troupe::link_problem);
TROUPE_INTERNAL_MESSAGE(troupe::service_state);

#define TROUPE_SHARE(type, name)                                                                                       \
  TROUPE_TYPE_ID(troupe::type);                                                                                        \
  TROUPE_SHARED_MESSAGE_CODE(troupe::type);
TROUPE_WIRE_MESSAGES(TROUPE_SHARE)
#undef TROUPE_SHARE

// The messages of public headers.
TROUPE_SHARED_MESSAGE_CODE(troupe::node_status);
TROUPE_SHARED_MESSAGE_CODE(troupe::get_status);
TROUPE_SHARED_MESSAGE_CODE(troupe::stop_node);
TROUPE_SHARED_MESSAGE_CODE(troupe::take_snapshot);
TROUPE_SHARED_MESSAGE_CODE(troupe::snapshot_result);
TROUPE_SHARED_MESSAGE_CODE(troupe::make_backup);
TROUPE_SHARED_MESSAGE_CODE(troupe::backup_made);
TROUPE_SHARED_MESSAGE_CODE(troupe::read_backup);
TROUPE_SHARED_MESSAGE_CODE(troupe::backup_chunk);
TROUPE_SHARED_MESSAGE_CODE(troupe::close_backup);
TROUPE_SHARED_MESSAGE_CODE(troupe::stage_backup);
TROUPE_SHARED_MESSAGE_CODE(troupe::backup_staged);
TROUPE_SHARED_MESSAGE_CODE(troupe::change_membership);
TROUPE_SHARED_MESSAGE_CODE(troupe::membership_changed);
TROUPE_SHARED_MESSAGE_CODE(troupe::move_leadership);
TROUPE_SHARED_MESSAGE_CODE(troupe::leadership_moved);
TROUPE_SHARED_MESSAGE_CODE(troupe::watch_events);
TROUPE_SHARED_MESSAGE_CODE(troupe::make_restore);
TROUPE_SHARED_MESSAGE_CODE(troupe::restore_made);
TROUPE_SHARED_MESSAGE_CODE(troupe::cluster_event);
TROUPE_SHARED_MESSAGE_CODE(troupe::peers_changed);
TROUPE_SHARED_MESSAGE_CODE(troupe::node_identity);
TROUPE_SHARED_MESSAGE_CODE(troupe::watch_identity);
TROUPE_SHARED_MESSAGE_CODE(troupe::report_peers);
