// The commands that a proxy has not sent yet, by where they go.
#pragma once

#include "actors/frontend/pending_table.hpp"

#include <deque>
#include <utility>

namespace troupe {

/// Pure. Holds the tags of commands of a pending_table. A tag whose command has ended is skipped.
class command_queues {
 public:
  using queue = std::deque<raft::tag_t>;

  /// Commands that wait for the role or for a node to which they can be forwarded.
  queue writes;
  /// Reads that wait for a read index.
  queue reads;
  /// Reads that wait for the dispatcher.
  queue stale_reads;
  /// Writes from other nodes' proxies, which only this node may take, as the leader.
  queue from_proxies;

  /// `in_client`: the proxy has no node, and forwards everything.
  void add(raft::tag_t tag, const pending_command& command, bool in_client) { of(command, in_client).push_back(tag); }
  /// Drops the tags whose commands have ended.
  void prune(pending_table& pending) {
    for (auto* each : {&writes, &reads, &stale_reads, &from_proxies})
      std::erase_if(*each, [&](raft::tag_t tag) { return pending.find(tag) == nullptr; });
  }

 private:
  queue& of(const pending_command& command, bool in_client) {
    if (command.from_proxy && command.is_write()) return from_proxies;
    if (in_client || command.how == access::write) return writes;
    return command.how == access::stale_read ? stale_reads : reads;
  }
};

/// Empties a queue and calls `use(tag, command)` for each command that has not ended.
template <class Use> void drain(command_queues::queue& from, pending_table& pending, Use use) {
  for (const auto tag : std::exchange(from, {}))
    if (auto* command = pending.find(tag)) use(tag, *command);
}

} // namespace troupe
