// The basic types of the protocol: the public ids and positions, and time.
#pragma once

#include <chrono>
#include <troupe/types.hpp>

namespace troupe::raft {

using troupe::addition;
using troupe::cluster_id;
using troupe::index_t;
using troupe::is_known;
using troupe::log_position;
using troupe::member;
using troupe::membership_state;
using troupe::node_id;
using troupe::parse_node_id;
using troupe::role_kind;
using troupe::snapshot_id;
using troupe::term_t;
using troupe::to_string;

/// In raft/, the current time is always passed as an argument. The types are those of the steady clock, but no code
/// here reads a clock.
using clock = std::chrono::steady_clock;
using time_point = clock::time_point;
using duration = clock::duration;

} // namespace troupe::raft
