#include "runtime/offline/directory.hpp"

#include "runtime/offline/console.hpp"
#include "runtime/storage/snapshot_reader.hpp"

#include <algorithm>
#include <cerrno>
#include <type_traits>
#include <utility>

namespace troupe::offline {
namespace {

bool has_segments(file_system& fs, const std::filesystem::path& log) {
  const auto names = fs.list(log);
  return std::any_of(names.begin(), names.end(),
                     [](const auto& name) { return wal_format::parse_segment_name(name).has_value(); });
}

/// Removes everything from the damage on.
void cut(overlay_file_system& seen, const std::filesystem::path& log, const damage_error& at) {
  const bool whole = at.offset() < wal_format::first_record;
  for (const auto& name : seen.list(log))
    if (const auto path = log / name; wal_format::parse_segment_name(name))
      if (path > at.path() || (whole && path == at.path())) seen.remove(path);
  if (whole) return;
  const auto damaged = seen.open(at.path());
  damaged->write(at.offset(), std::string(damaged->size() - at.offset(), '\0'));
}

/// Opens a log on an overlay. If it is damaged, opens only the part before the damage, or returns nothing if that fails
/// too.
template <class Open>
std::invoke_result_t<Open> open_before_damage(const directory& of, overlay_file_system& seen,
                                              std::optional<damage_error>& damage, const Open& open) {
  try {
    return open();
  } catch (const damage_error& error) {
    damage = error;
  }
  cut(seen, of.log_path(), *damage);
  if (!has_segments(seen, of.log_path())) return {};
  try {
    return open();
  } catch (const damage_error&) { // there is more damage
    return {};
  }
}

} // namespace

int exit_code_of(const std::exception& error) {
  const auto* storage = dynamic_cast<const raft::storage_error*>(&error);
  return storage && storage->damaged() ? damage_found : bad_usage;
}

directory::directory(file_system& fs, std::filesystem::path path, access how) : fs_(fs), path_(std::move(path)) {
  const bool known = fs_.exists(identity_path());
  if (!known && !has_log())
    throw usage_error(path_.string() + " is not a data directory: it has neither an identity nor a log");
  std::string holder;
  try {
    lock_ = how == access::read_only ? fs_.lock_shared(path_ / "lock", holder) : fs_.lock(path_ / "lock", holder);
  } catch (const file_error& error) {
    const bool unwritable = error.code() == EROFS || error.code() == EACCES || error.code() == EPERM;
    if (how != access::read_only || !unwritable) throw;
    lock_problem_ = error.what();
  }
  if (!lock_ && lock_problem_.empty())
    throw usage_error("data directory " + path_.string() + " is in use by " +
                      (holder.empty() ? "another process" : holder) + "; stop it first");
  try {
    if (known)
      identity_ = decode_identity(read_file(fs_, identity_path()), identity_path());
    else
      problem_ = "identity file " + identity_path().string() + " is missing " + repair_advice(path_);
  } catch (const raft::storage_error& error) {
    if (!error.damaged()) throw;
    problem_ = error.what();
  }
}

bool directory::has_log() const { return has_segments(fs_, log_path()); }

std::optional<std::string> directory::missing_log() const {
  if (has_log()) return {};
  const bool formed = identity_ && identity_->cluster && !identity_->promise;
  if (!formed && fs_.list(snapshots_path()).empty()) return {};
  return "the log in " + log_path().string() + " is missing: the node must not take part without it " +
         repair_advice(path_);
}

wal_options options_for(const directory& of) {
  wal_options options;
  const auto names = of.files().list(of.log_path());
  const auto last = std::find_if(names.rbegin(), names.rend(),
                                 [](const auto& name) { return wal_format::parse_segment_name(name).has_value(); });
  if (last == names.rend()) return options;
  const auto size = of.files().open_to_read(of.log_path() / *last)->size();
  if (size < wal_format::first_record + options.reserve) options.reserve = options.zero_ahead = size / 16;
  options.segment_size = std::max(size, wal_format::first_record + options.reserve);
  return options;
}

log_examination examine_log(const directory& of, const progress& read) {
  log_examination result;
  if (auto missing = of.missing_log()) {
    result.problem = *std::move(missing);
    result.damaged_file = of.log_path();
    return result;
  }
  for (const auto& name : of.files().list(of.log_path()))
    if (wal_format::parse_segment_name(name)) result.bytes += of.files().open_to_read(of.log_path() / name)->size();
  overlay_file_system seen{of.files(), read};
  const auto options = options_for(of);
  std::vector<std::string> notes;
  std::optional<damage_error> damage;
  const auto state = open_before_damage(of, seen, damage, [&] {
    wal_spare spare{seen, of.log_path(), options.segment_size};
    return recover_wal(seen, of.log_path(), options, spare, notes);
  });
  result.found = describe(state.shape, state.hard);
  if (of.has_log()) result.segments.assign(state.segments.begin(), state.segments.end());
  if (damage) {
    result.problem = damage->what();
    result.damaged_file = damage->path();
    result.damaged_at = damage->offset();
  } else {
    result.found.notes = std::move(notes);
  }
  return result;
}

std::unique_ptr<wal> open_read_only(const directory& of, overlay_file_system& seen, raft::recovered& found,
                                    std::optional<damage_error>& damage) {
  if (const auto missing = of.missing_log()) throw raft::storage_error(*missing, false, true);
  const auto options = options_for(of);
  return open_before_damage(of, seen, damage, [&] { return wal::open(seen, of.log_path(), options, found); });
}

std::vector<snapshot_examination> examine_snapshots(const directory& of, bool whole, const progress& read) {
  std::vector<snapshot_examination> all;
  overlay_file_system seen{of.files(), read};
  for (const auto& name : seen.list(of.snapshots_path())) {
    const auto id = snapshot_format::parse_file_name(name);
    if (!id) continue;
    const auto path = of.snapshots_path() / name;
    snapshot_examination one{*id, name, {}, {}};
    try {
      one.head = snapshot_reader{seen, path}.header();
      if (whole && verify_snapshot(seen, path).id != *id)
        throw damage_error("damaged snapshot: the content does not match the file name", path, 0);
    } catch (const raft::storage_error& error) {
      one.problem = error.what();
      one.damaged = error.damaged();
    }
    all.insert(all.begin(), std::move(one));
  }
  return all;
}

} // namespace troupe::offline
