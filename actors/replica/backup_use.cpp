#include "actors/replica/backup_use.hpp"

#include "services/restore_command.hpp"

namespace troupe {
namespace {

constexpr std::size_t read_bytes = 4 << 20;

} // namespace

std::vector<backup_use> backup_uses(raft::storage& log, const raft::recovered& disk, const std::stop_token& stop) {
  std::vector<backup_use> uses;
  for (auto next = disk.start.index + 1; next <= disk.last_index;) {
    if (stop.stop_requested()) throw raft::reading_stopped{};
    const auto entries = log.read(next, disk.last_index, read_bytes);
    if (entries.empty()) break;
    for (const auto& e : entries) {
      if (e.kind != raft::entry_kind::command) continue;
      if (const auto backup = services::restored_by(e.data.view(), e.index)) uses.push_back({*backup, e.index});
    }
    next = entries.back().index + 1;
  }
  return uses;
}

} // namespace troupe
