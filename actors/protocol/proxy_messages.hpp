// The messages to a proxy and to the fronts that use it, inside one process. interfaces.hpp says which actor receives
// which message.
#pragma once

#include "raft/events.hpp"

#include <string>
#include <troupe/errors.hpp>
#include <vector>

namespace troupe {

/// From the role: the results of propose_batch. `failed` also contains refused changes of members and transfers.
struct proposals_settled {
  std::vector<raft::accepted> accepted;
  std::vector<raft::failed> failed;
};
/// From the role: the results of read_index.
struct reads_settled {
  std::vector<raft::read_ready> ready;
  std::vector<raft::failed> failed;
};
/// From the role: a leadership transfer that had started has failed. A raft::transferred says that it has succeeded.
struct transfer_failed {
  raft::failed what;
};
/// The replica of this node ended, so the outcomes of the commands that it held are unknown. It starts again soon,
/// unless `code` is set.
struct replica_down {
  /// Why commands are rejected until the replica starts again (disk_full, disk_failed); `none` if they wait for it.
  errc code = errc::none;
  /// With a code: the details. Without: the error text for the commands that the replica held.
  std::string why = {};
};
/// Before a shutdown: the proxy rejects new commands. It answers when no command is pending any more, then quits.
struct drain_proxy {};
struct proxy_drained {};

/// Before drain_proxy, to each front: it sends the calls that it still holds to the proxy, and rejects all later calls.
struct drain_front {};
struct front_drained {};

/// From the node: a committed configuration removed it, or (false) it is a member again. Between the two, commands and
/// linearizable reads are rejected.
struct removal_known {
  bool removed = false;
};
/// From a client's links: the last problem with one of its addresses.
struct link_problem {
  std::string address;
  std::string problem;
};

} // namespace troupe
