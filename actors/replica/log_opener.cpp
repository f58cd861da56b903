#include "actors/replica/log_opener.hpp"

#include <utility>

namespace troupe {
namespace {

/// Writes entry 1 of a new cluster, which is the same on every node.
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

log_opener::log_opener(caf::actor_config& config, log_opener_setup setup, log_owner_handle owner)
    : compat::untyped_base(config), setup_(std::move(setup)), owner_(std::move(owner)) {}

caf::behavior log_opener::make_behavior() {
  auto log = std::make_shared<opened_log>();
  try {
    const auto& as = setup_.as;
    *log = setup_.open(as, setup_.services, setup_.stop);
    if (log->staged && !log->staged->list().empty()) log->uses = backup_uses(*log->storage, log->disk, setup_.stop);
    const bool blank = log->disk.last_index == 0 && log->disk.hard == raft::hard_state{};
    if (blank && as.backup == 0 && !as.initial.empty()) write_first_configuration(*log->storage, as.initial, log->disk);
  } catch (const raft::storage_error& e) {
    *log = {};
    log->error = e.what();
    log->no_space = e.no_space();
    log->temporary = e.temporary();
  } catch (const std::exception& e) {
    *log = {};
    log->error = e.what();
  }
  setup_ = {};
  send(owner_, log_opened{std::move(log)});
  return {};
}

} // namespace troupe
