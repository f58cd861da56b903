// The messages between the dispatcher, the services and the proxy about commands and queries, inside one process.
// interfaces.hpp says which actor receives which message.
#pragma once

#include "actors/protocol/messages.hpp"
#include "raft/entry.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace troupe {

/// From the role: all entries up to `up_to` are committed and on this node's disk. `entries` holds the last of them, as
/// far as they were in memory.
struct commit_entries {
  index_t up_to = 0;
  std::vector<raft::entry> entries;
};
/// One query. `payload` is an encoded services command; without one, the query only waits for the index.
struct query {
  std::uint64_t number = 0;
  raft::bytes payload;
};
/// From the proxy: run these queries when `at` is applied (0: immediately).
struct query_batch {
  index_t at = 0;
  std::vector<query> queries;
};

/// A command for one service, in log order.
struct apply_item {
  index_t index = 0;
  term_t term = 0;
  raft::bytes tag;
  raft::bytes payload;
};
struct apply_batch {
  /// Entries of earlier terms were not proposed here in this run, so no caller waits for their replies.
  term_t replies_from = 0;
  std::vector<apply_item> items;
};
struct query_item {
  std::uint64_t number = 0;
  index_t at = 0;
  raft::bytes tag;
  raft::bytes payload;
};
struct query_items {
  std::vector<query_item> items;
};

/// From a service to the dispatcher, which forwards it to the proxy: the results of log entries.
struct applied_item {
  index_t index = 0;
  term_t term = 0;
  errc code = errc::none;
  std::string payload;
};
struct applied_batch {
  std::vector<applied_item> items;
  /// From a service: the present size of its state in bytes; 0 if it does not report it.
  std::uint64_t state_bytes = 0;
};
/// From a service or the dispatcher to the proxy. `number` is the query's; `index` is the log index of the state read.
struct queried_batch {
  std::vector<command_outcome> outcomes;
};

} // namespace troupe
