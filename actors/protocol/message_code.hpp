// Declares the messages to CAF. Included at the end of interfaces.hpp.
#pragma once

#include <caf/detail/tuple_vals.hpp>
#include <caf/detail/type_erased_value_impl.hpp>
#include <caf/mailbox_element.hpp>

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

/// TROUPE_LOCAL_MESSAGE for a message of the library itself.
#define TROUPE_LIBRARY_MESSAGE(type)                                                                                   \
  TROUPE_LOCAL_MESSAGE(type);                                                                                          \
  TROUPE_SHARED_MESSAGE_CODE(type)

// The messages that never leave the process.
TROUPE_LIBRARY_MESSAGE(troupe::timer);
TROUPE_LIBRARY_MESSAGE(troupe::flush);
TROUPE_LIBRARY_MESSAGE(troupe::flow_mark);
TROUPE_LIBRARY_MESSAGE(troupe::outbound);
TROUPE_LIBRARY_MESSAGE(troupe::health_batch);
TROUPE_LIBRARY_MESSAGE(troupe::get_health);
TROUPE_LIBRARY_MESSAGE(troupe::health_report);
TROUPE_LIBRARY_MESSAGE(troupe::health_changed);
TROUPE_LIBRARY_MESSAGE(troupe::watch_health);
TROUPE_LIBRARY_MESSAGE(troupe::raft::invited);
TROUPE_LIBRARY_MESSAGE(troupe::raft::set_wants_to_join);
TROUPE_LIBRARY_MESSAGE(troupe::raft::change_members);
TROUPE_LIBRARY_MESSAGE(troupe::raft::transfer_leadership);
TROUPE_LIBRARY_MESSAGE(troupe::raft::transferred);
TROUPE_LIBRARY_MESSAGE(troupe::link_up);
TROUPE_LIBRARY_MESSAGE(troupe::link_down);
TROUPE_LIBRARY_MESSAGE(troupe::watch_links);
TROUPE_LIBRARY_MESSAGE(troupe::peers_view);
TROUPE_LIBRARY_MESSAGE(troupe::watch_peers);
TROUPE_LIBRARY_MESSAGE(troupe::identity_changed);
TROUPE_LIBRARY_MESSAGE(troupe::members_changed);
TROUPE_LIBRARY_MESSAGE(troupe::peer_seen);
TROUPE_LIBRARY_MESSAGE(troupe::get_peers);
TROUPE_LIBRARY_MESSAGE(troupe::peer_list);
TROUPE_LIBRARY_MESSAGE(troupe::link_report);
TROUPE_LIBRARY_MESSAGE(troupe::dial);
TROUPE_LIBRARY_MESSAGE(troupe::dialed);
TROUPE_LIBRARY_MESSAGE(troupe::disconnect);
TROUPE_LIBRARY_MESSAGE(troupe::raft::membership_decision);
TROUPE_LIBRARY_MESSAGE(troupe::raft::formed_now);
TROUPE_LIBRARY_MESSAGE(troupe::get_formation);
TROUPE_LIBRARY_MESSAGE(troupe::formation_status);
TROUPE_LIBRARY_MESSAGE(troupe::store_write);
TROUPE_LIBRARY_MESSAGE(troupe::read_log);
TROUPE_LIBRARY_MESSAGE(troupe::log_chunk);
TROUPE_LIBRARY_MESSAGE(troupe::sync_log);
TROUPE_LIBRARY_MESSAGE(troupe::compact_log);
TROUPE_LIBRARY_MESSAGE(troupe::raft::snapshot_taken);
TROUPE_LIBRARY_MESSAGE(troupe::raft::disk_space);
TROUPE_LIBRARY_MESSAGE(troupe::raft::chunk_request);
TROUPE_LIBRARY_MESSAGE(troupe::raft::snapshot_chunk);
TROUPE_LIBRARY_MESSAGE(troupe::view_state);
TROUPE_LIBRARY_MESSAGE(troupe::state_view);
TROUPE_LIBRARY_MESSAGE(troupe::replace_state);
TROUPE_LIBRARY_MESSAGE(troupe::discarded_state);
TROUPE_LIBRARY_MESSAGE(troupe::write_snapshot);
TROUPE_LIBRARY_MESSAGE(troupe::snapshot_written);
TROUPE_LIBRARY_MESSAGE(troupe::snapshot_wanted);
TROUPE_LIBRARY_MESSAGE(troupe::snapshot_lost);
TROUPE_LIBRARY_MESSAGE(troupe::check_snapshot);
TROUPE_LIBRARY_MESSAGE(troupe::snapshot_checked);
TROUPE_LIBRARY_MESSAGE(troupe::open_backup);
TROUPE_LIBRARY_MESSAGE(troupe::backup_opened);
TROUPE_LIBRARY_MESSAGE(troupe::state_size);
TROUPE_LIBRARY_MESSAGE(troupe::store_chunk);
TROUPE_LIBRARY_MESSAGE(troupe::chunk_stored);
TROUPE_LIBRARY_MESSAGE(troupe::adopt_state);
TROUPE_LIBRARY_MESSAGE(troupe::snapshot_covered);
TROUPE_LIBRARY_MESSAGE(troupe::attach_dispatcher);
TROUPE_LIBRARY_MESSAGE(troupe::load_backup);
TROUPE_LIBRARY_MESSAGE(troupe::backup_loaded);
TROUPE_LIBRARY_MESSAGE(troupe::staging_known);
TROUPE_LIBRARY_MESSAGE(troupe::raft::state_missing);
TROUPE_LIBRARY_MESSAGE(troupe::propose_batch);
TROUPE_LIBRARY_MESSAGE(troupe::read_index);
TROUPE_LIBRARY_MESSAGE(troupe::log_synced);
TROUPE_LIBRARY_MESSAGE(troupe::replicator_report);
TROUPE_LIBRARY_MESSAGE(troupe::replicator_fetch);
TROUPE_LIBRARY_MESSAGE(troupe::drained);
TROUPE_LIBRARY_MESSAGE(troupe::get_role_report);
TROUPE_LIBRARY_MESSAGE(troupe::role_report);
TROUPE_LIBRARY_MESSAGE(troupe::attach_role);
TROUPE_LIBRARY_MESSAGE(troupe::role_changed);
TROUPE_LIBRARY_MESSAGE(troupe::leader_known);
TROUPE_LIBRARY_MESSAGE(troupe::replicator_started);
TROUPE_LIBRARY_MESSAGE(troupe::raft::replicate);
TROUPE_LIBRARY_MESSAGE(troupe::raft::fetched);
TROUPE_LIBRARY_MESSAGE(troupe::commit_entries);
TROUPE_LIBRARY_MESSAGE(troupe::query_batch);
TROUPE_LIBRARY_MESSAGE(troupe::apply_batch);
TROUPE_LIBRARY_MESSAGE(troupe::query_items);
TROUPE_LIBRARY_MESSAGE(troupe::applied_batch);
TROUPE_LIBRARY_MESSAGE(troupe::queried_batch);
TROUPE_LIBRARY_MESSAGE(troupe::get_applied);
TROUPE_LIBRARY_MESSAGE(troupe::applied_status);
TROUPE_LIBRARY_MESSAGE(troupe::proposals_settled);
TROUPE_LIBRARY_MESSAGE(troupe::reads_settled);
TROUPE_LIBRARY_MESSAGE(troupe::transfer_failed);
TROUPE_LIBRARY_MESSAGE(troupe::replica_up);
TROUPE_LIBRARY_MESSAGE(troupe::replica_down);
TROUPE_LIBRARY_MESSAGE(troupe::drain_proxy);
TROUPE_LIBRARY_MESSAGE(troupe::proxy_drained);
TROUPE_LIBRARY_MESSAGE(troupe::drain_front);
TROUPE_LIBRARY_MESSAGE(troupe::front_drained);
TROUPE_LIBRARY_MESSAGE(troupe::removal_known);
TROUPE_LIBRARY_MESSAGE(troupe::link_problem);
TROUPE_LIBRARY_MESSAGE(troupe::service_state);

#define TROUPE_SHARE(type, name) TROUPE_SHARED_MESSAGE_CODE(troupe::type);
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
