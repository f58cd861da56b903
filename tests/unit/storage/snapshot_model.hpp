// Writes, sends and reads snapshots for the storage tests.
#pragma once

#include "runtime/storage/file_system.hpp"
#include "services/snapshot_files.hpp"

#include <string>
#include <utility>
#include <vector>

namespace troupe::test {

/// Names and bytes of services, in order.
using services_state = std::vector<std::pair<std::string, std::string>>;

raft::snapshot_point make_point(raft::index_t index, raft::term_t term);
raft::snapshot_id write_snapshot(snapshot_files& to, const raft::snapshot_point& at, const services_state& state);
/// Throws as `load` does; sets `at` to its result.
services_state load_snapshot(snapshot_files& from, const raft::snapshot_id& id, raft::snapshot_point* at = nullptr);
/// Copies a snapshot's bytes to another node in chunks.
raft::snapshot_point send_snapshot(snapshot_files& from, snapshot_files& to, const raft::snapshot_id& id,
                                   std::size_t chunk);
/// Pseudorandom bytes.
std::string some_bytes(std::size_t size, unsigned seed);

} // namespace troupe::test
