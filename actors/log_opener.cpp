#include "actors/log_opener.hpp"

#include <utility>

namespace troupe {
namespace {

/// Entry 1 of a new cluster, the same on whichever node writes it.
void write_first_configuration(raft::storage& storage, const raft::configuration& initial, raft::recovered& disk) {
  raft::write first;
  first.hard = raft::hard_state{1, {}};
  first.append.push_back({1, 1, raft::entry_kind::configuration, raft::bytes{raft::encode(initial)}});
  storage.apply(first);
  storage.sync();
  disk.hard = *first.hard;
  disk.last_index = 1;
  disk.terms = {{1, 1}};
  disk.configurations = first.append;
}

} // namespace

log_opener::log_opener(caf::actor_config& config, storage_factory open, raft::configuration initial,
                       log_owner_handle owner)
    : caf::event_based_actor(config), open_(std::move(open)), initial_(std::move(initial)), owner_(std::move(owner)) {}

caf::behavior log_opener::make_behavior() {
  auto log = std::make_shared<opened_log>();
  try {
    log->storage = open_(log->disk);
    const bool blank = log->disk.last_index == 0 && log->disk.hard == raft::hard_state{};
    if (blank && !initial_.empty()) write_first_configuration(*log->storage, initial_, log->disk);
  } catch (const std::exception& e) {
    log->storage.reset();
    log->error = e.what();
  }
  send(owner_, log_opened{std::move(log)});
  return {};
}

} // namespace troupe
