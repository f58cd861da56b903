// What a proxy and the fronts before it are told, inside one process. Who takes which is said in interfaces.hpp.
#pragma once

#include "actors/errors.hpp"
#include "raft/events.hpp"

#include <string>
#include <vector>

namespace troupe {

struct proposals_settled {
  std::vector<raft::accepted> accepted;
  std::vector<raft::failed> failed;
};
/// Also of transfers of leadership that failed.
struct reads_settled {
  std::vector<raft::read_ready> ready;
  std::vector<raft::failed> failed;
};
/// The replicated core of this node ended: whatever it held is unknown now. It will start anew soon, unless `code` says
/// for what reason commands are refused until it does (disk_full, disk_failed).
struct core_down {
  errc code = errc::none;
  /// Without a code: for the commands that it held.
  std::string why = {};
};
/// Before a shutdown: new commands are rejected; answered once everything pending has its answer, then the proxy quits.
struct drain_proxy {};
struct proxy_drained {};

/// Before that, to each front: what it still holds goes to the proxy, and everything later is rejected.
struct drain_front {};
struct front_drained {};

/// From the node: a committed configuration removed it, or (false) it is a member again. Commands are rejected in
/// between.
struct removal_known {
  bool removed = false;
};
/// From a client's links: what went wrong last with one of its addresses.
struct link_problem {
  std::string address;
  std::string problem;
};

} // namespace troupe
