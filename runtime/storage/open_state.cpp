#include "runtime/storage/open_state.hpp"

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

namespace troupe {
namespace {

/// Whether the log holds the entry at this place, or begins right behind it.
bool leads_to(const raft::recovered& log, const raft::log_position& place) {
  if (place.index < log.start.index || place.index > log.last_index) return false;
  const auto next = std::find_if(log.terms.begin(), log.terms.end(),
                                 [&](const raft::term_run& run) { return run.first > place.index; });
  return place.term == (next == log.terms.begin() ? log.start.term : std::prev(next)->term);
}

/// A log is there before the first snapshot, so one without the other was taken away, and with it what the node voted
/// for. A snapshot must not make up for that.
void check_not_gone(file_system& fs, const std::filesystem::path& log_directory, snapshot_dir& snapshots) {
  const auto names = fs.list(log_directory);
  const bool there = std::any_of(names.begin(), names.end(),
                                 [](const auto& name) { return wal_format::parse_segment_name(name).has_value(); });
  if (!there && !snapshots.list().empty())
    throw raft::storage_error("the log in " + log_directory.string() +
                                  " is gone, but snapshots are there: this node must not take part without its log " +
                                  repair_advice(log_directory.parent_path()),
                              false, true);
}

/// The log cannot go on to `place`, whose entries are committed: it ends before, or holds others there.
void reset(wal& log, const raft::log_position& place, raft::recovered& out) {
  raft::write change;
  change.reset_to = place;
  // A node that was never in that term has not voted in it.
  if (out.hard.term < place.term) change.hard = out.hard = {place.term, {}};
  const bool was_empty = out.last_index == 0;
  log.apply(change);
  log.sync();
  out.start = place;
  out.last_index = place.index;
  out.terms.clear();
  out.sizes.clear();
  out.configurations.clear();
  // A node that begins with a backup, or with the snapshot of its leader, loses nothing.
  if (was_empty) return;
  out.notes.push_back("the log now begins behind entry " + std::to_string(place.index) +
                      ", where a snapshot ends that it did not lead to");
}

} // namespace

std::unique_ptr<wal> open_state(file_system& fs, std::filesystem::path log_directory, const wal_options& options,
                                snapshot_dir& snapshots, const load_snapshot& load, raft::recovered& out,
                                const std::stop_token& stop) {
  check_not_gone(fs, log_directory, snapshots);
  auto log = wal::open(fs, std::move(log_directory), options, out, stop);
  // Only what is not being written goes: what a dead process left unfinished.
  const auto found = snapshots.prune(std::numeric_limits<std::size_t>::max());
  for (const auto& id : found) {
    if (id.last.index < out.start.index) break; // neither does the log reach back to those before
    try {
      out.snapshot = load(id);
    } catch (const damage_error& error) {
      out.notes.push_back(std::string{error.what()} + "; " + snapshots.set_aside(id));
      continue;
    } catch (const file_error& error) { // the disk cannot read it, and might another time
      if (error.temporary()) throw;     // it will: an older state is no substitute
      out.notes.emplace_back(error.what());
      continue;
    } catch (const other_cluster& error) {
      out.notes.emplace_back(error.what());
      continue;
    } // What is whole, but not for this program (a service or a format that it does not know), is not passed over.
    if (!leads_to(out, id.last)) reset(*log, id.last, out);
    return log;
  }
  out.state_lost = out.start.index > 0;
  return log;
}

} // namespace troupe
