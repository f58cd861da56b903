#include "runtime/offline/directory.hpp"

#include "runtime/storage/overlay_file_system.hpp"
#include "runtime/storage/snapshot_format.hpp"
#include "runtime/storage/snapshot_reader.hpp"

#include <algorithm>
#include <utility>

namespace troupe::offline {

directory::directory(file_system& fs, std::filesystem::path path) : fs_(fs), path_(std::move(path)) {
  const bool known = fs_.exists(identity_path());
  if (!known && !has_log())
    throw usage_error(path_.string() + " is no data directory: it has neither an identity nor a log");
  std::string holder;
  lock_ = fs_.lock(path_ / "lock", holder);
  if (!lock_)
    throw usage_error("data directory " + path_.string() + " is in use by " +
                      (holder.empty() ? "another process" : holder) + "; stop it first");
  try {
    if (known)
      identity_ = decode_identity(read_file(fs_, identity_path()), identity_path().string());
    else
      problem_ = "identity file " + identity_path().string() + " is missing";
  } catch (const raft::storage_error& error) {
    problem_ = error.what();
  }
}

bool directory::has_log() const {
  for (const auto& name : fs_.list(log_path()))
    if (wal_format::parse_segment_name(name)) return true;
  return false;
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

bool directory::needs_log() const {
  return (identity_ && identity_->cluster && !identity_->promise) || !fs_.list(snapshots_path()).empty();
}

log_examination examine_log(const directory& of, const progress& read) {
  log_examination result;
  if (!of.has_log() && of.needs_log()) {
    result.problem = "the log in " + of.log_path().string() + " is gone: this node must not take part without it";
    result.damaged_file = of.log_path();
    return result;
  }
  for (const auto& name : of.files().list(of.log_path()))
    if (wal_format::parse_segment_name(name)) result.bytes += of.files().open_to_read(of.log_path() / name)->size();
  overlay_file_system seen{of.files(), read};
  const auto options = options_for(of);
  wal_spare spare{seen, of.log_path(), options.segment_size};
  try {
    auto state = recover_wal(seen, of.log_path(), options, spare, result.found.notes);
    auto notes = std::move(result.found.notes);
    result.found = describe(state.shape, state.hard);
    result.found.notes = std::move(notes);
    if (of.has_log()) result.segments.assign(state.segments.begin(), state.segments.end());
  } catch (const damage_error& error) {
    result.problem = error.what();
    result.damaged_file = error.path();
    result.damaged_at = error.offset();
  } catch (const raft::storage_error& error) {
    result.problem = error.what();
  }
  return result;
}

std::vector<snapshot_examination> examine_snapshots(const directory& of, bool whole, const progress& read) {
  std::vector<snapshot_examination> all;
  overlay_file_system seen{of.files(), read};
  for (const auto& name : seen.list(of.snapshots_path())) {
    const auto id = snapshot_format::parse_file_name(name);
    if (!id) continue;
    snapshot_examination one{*id, name, {}, {}};
    try {
      if (whole) {
        const auto summary = verify_snapshot(seen, of.snapshots_path() / name);
        one.cluster = summary.header.cluster;
        if (summary.id != *id) one.problem = "damaged snapshot: another one than its name says: " + name;
      }
    } catch (const raft::storage_error& error) {
      one.problem = error.what();
    }
    all.insert(all.begin(), std::move(one));
  }
  return all;
}

} // namespace troupe::offline
