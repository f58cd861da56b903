// What the dispatcher, the services and the proxy tell each other about commands and queries, inside one process. Who
// takes which is said in interfaces.hpp.
#pragma once

#include "actors/protocol/messages.hpp"
#include "raft/entry.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace troupe {

/// From the role: everything up to `up_to` is committed and on this disk. `entries` is the tail of it that was in
/// memory.
struct commit_entries {
  index_t up_to = 0;
  std::vector<raft::entry> entries;
};
/// One query, already separated from its service's name.
struct query {
  std::uint64_t number = 0;
  raft::bytes payload;
};
/// From the proxy: run these once `at` is applied (0: at once).
struct query_batch {
  index_t at = 0;
  std::vector<query> queries;
};

/// For one service, in log order.
struct apply_item {
  index_t index = 0;
  term_t term = 0;
  raft::bytes tag;
  raft::bytes payload;
};
struct apply_batch {
  /// Entries of earlier terms were not proposed here in this run: nobody waits for what they are answered with.
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

/// From a service to the dispatcher, and on to the proxy: what became of log entries.
struct applied_item {
  index_t index = 0;
  term_t term = 0;
  errc code = errc::none;
  std::string payload;
};
struct applied_batch {
  std::vector<applied_item> items;
  /// From a service: how large its state is now, in bytes; 0 if it does not tell.
  std::uint64_t state_bytes = 0;
};
/// From a service or the dispatcher to the proxy: `number` is the query's, `index` where it was read.
struct queried_batch {
  std::vector<command_outcome> outcomes;
};

} // namespace troupe
