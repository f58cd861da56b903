#include "runtime/storage/open_state.hpp"

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

namespace troupe {
namespace {

/// Whether the log contains the entry at this position, or begins right after it.
bool leads_to(const raft::recovered& log, const raft::log_position& place) {
  if (place.index < log.start.index || place.index > log.last_index) return false;
  const auto next = std::find_if(log.terms.begin(), log.terms.end(),
                                 [&](const raft::term_run& run) { return run.first > place.index; });
  return place.term == (next == log.terms.begin() ? log.start.term : std::prev(next)->term);
}

/// A node creates its log before its first snapshot. If only snapshots exist, the log was removed, and with it the
/// record of the node's votes. A snapshot must not make up for that.
void check_not_gone(file_system& fs, const std::filesystem::path& log_directory, snapshot_dir& snapshots) {
  const auto names = fs.list(log_directory);
  const bool there = std::any_of(names.begin(), names.end(),
                                 [](const auto& name) { return wal_format::parse_segment_name(name).has_value(); });
  if (!there && !snapshots.list().empty())
    throw raft::storage_error("the log in " + log_directory.string() +
                                  " is missing, but there are snapshots: the node must not take part without its log " +
                                  repair_advice(log_directory.parent_path()),
                              false, true);
}

/// Resets the log to `place`. The entries up to there are committed, but the log ends before `place` or has other
/// entries there.
void reset(wal& log, const raft::log_position& place, raft::recovered& out) {
  raft::write change;
  change.reset_to = place;
  // A node that never reached that term has not voted in it.
  if (out.hard.term < place.term) change.hard = out.hard = {place.term, {}};
  const bool was_empty = out.last_index == 0;
  log.apply(change);
  log.sync();
  out.start = place;
  out.last_index = place.index;
  out.terms.clear();
  out.sizes.clear();
  out.configurations.clear();
  // A node that starts from a backup, or from its leader's snapshot, loses nothing.
  if (was_empty) return;
  out.notes.push_back("the log was reset to begin after entry " + std::to_string(place.index) +
                      ", the end of a snapshot that it did not reach");
}

} // namespace

std::unique_ptr<wal> open_state(file_system& fs, std::filesystem::path log_directory, const wal_options& options,
                                snapshot_dir& snapshots, const load_snapshot& load, raft::recovered& out,
                                const std::stop_token& stop) {
  check_not_gone(fs, log_directory, snapshots);
  auto log = wal::open(fs, std::move(log_directory), options, out, stop);
  // Keeps all finished snapshots; removes only the unfinished files of an earlier process.
  const auto found = snapshots.prune(std::numeric_limits<std::size_t>::max());
  for (const auto& id : found) {
    if (id.last.index < out.start.index) break; // nor does the log reach back to older ones
    try {
      out.snapshot = load(id);
    } catch (const damage_error& error) {
      out.notes.push_back(std::string{error.what()} + "; " + snapshots.quarantine(id));
      continue;
    } catch (const file_error& error) { // the disk cannot read it now, but perhaps later
      if (error.temporary()) throw;     // a retry will read it, so do not fall back to an older state
      out.notes.emplace_back(error.what());
      continue;
    } catch (const other_cluster& error) {
      out.notes.emplace_back(error.what());
      continue;
    } // An undamaged snapshot that this program does not support (unknown service or format) is not skipped.
    if (!leads_to(out, id.last)) reset(*log, id.last, out);
    return log;
  }
  out.state_lost = out.start.index > 0;
  return log;
}

} // namespace troupe
