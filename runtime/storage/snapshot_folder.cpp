#include "runtime/storage/snapshot_folder.hpp"

#include "runtime/storage/snapshot_format.hpp"

#include <utility>

namespace troupe {
namespace {

constexpr std::uint64_t sync_every = std::uint64_t{16} << 20;
constexpr std::string_view temporary_suffix = ".tmp";
constexpr std::string_view quarantine_suffix = ".damaged";
/// Number of damaged snapshots that are kept for an operator to examine, including the one being quarantined.
constexpr std::size_t most_quarantined = 2;

/// Removes a name after a failure that is reported anyway.
void try_to_remove(file_system& fs, const std::filesystem::path& path) {
  try {
    fs.remove(path);
  } catch (const file_error&) { // a later `prune` removes the file
  }
}

} // namespace

snapshot_folder::snapshot_folder(file_system& fs, std::filesystem::path directory)
    : fs_(fs), directory_(std::move(directory)) {
  make_durable_directory(fs_, directory_);
}

std::vector<raft::snapshot_id> snapshot_folder::list() {
  std::vector<raft::snapshot_id> found;
  for (const auto& name : fs_.list(directory_))
    if (const auto id = snapshot_format::parse_file_name(name)) found.insert(found.begin(), *id);
  return found;
}

std::filesystem::path snapshot_folder::path_of(const raft::snapshot_id& id) const {
  return directory_ / snapshot_format::file_name(id);
}

std::vector<raft::snapshot_id> snapshot_folder::prune(std::size_t kept) {
  const std::lock_guard lock{mutex_};
  bool removed = false;
  for (const auto& name : fs_.list(directory_)) {
    if (!name.ends_with(temporary_suffix) || unfinished_.contains(name)) continue;
    fs_.remove(directory_ / name);
    removed = true;
  }
  auto left = list();
  while (left.size() > kept) {
    fs_.remove(path_of(left.back()));
    left.pop_back();
    removed = true;
  }
  if (removed) fs_.sync_directory(directory_);
  return left;
}

void snapshot_folder::remove(const raft::snapshot_id& id) {
  const std::lock_guard lock{mutex_};
  fs_.remove(path_of(id));
  fs_.sync_directory(directory_);
}

std::string snapshot_folder::quarantine(const raft::snapshot_id& id) {
  const std::lock_guard lock{mutex_};
  const auto path = path_of(id);
  auto quarantined = path;
  quarantined += quarantine_suffix;
  drop_quarantined(most_quarantined - 1);
  fs_.rename(path, quarantined);
  fs_.sync_directory(directory_);
  return "quarantined as " + quarantined.filename().string();
}

void snapshot_folder::drop_quarantined(std::size_t kept) {
  auto names = fs_.list(directory_);
  std::erase_if(names, [](const auto& name) { return !name.ends_with(quarantine_suffix); });
  // Names begin with the index.
  for (std::size_t i = 0; i + kept < names.size(); ++i) fs_.remove(directory_ / names[i]);
}

unfinished_snapshot::unfinished_snapshot(std::shared_ptr<snapshot_folder> folder) : folder_(std::move(folder)) {
  const std::lock_guard lock{folder_->mutex_};
  const auto name = raft::to_string(raft::node_id{folder_->fs_.draw_random()}) + std::string{temporary_suffix};
  path_ = folder_->directory_ / name;
  out_ = folder_->fs_.create(path_);
  folder_->unfinished_.insert(name);
}

unfinished_snapshot::~unfinished_snapshot() {
  if (!out_) return;
  out_.reset();
  const std::lock_guard lock{folder_->mutex_};
  try_to_remove(folder_->fs_, path_);
  forget();
}

void unfinished_snapshot::forget() { folder_->unfinished_.erase(path_.filename().string()); }

void unfinished_snapshot::write(std::string_view bytes) {
  out_->write(size_, bytes);
  size_ += bytes.size();
  if (size_ - synced_ < sync_every) return;
  out_->sync();
  synced_ = size_;
}

void unfinished_snapshot::finish(const raft::snapshot_id& id) {
  out_->sync();
  const auto name = folder_->path_of(id);
  // Open the directory first: after the rename there is no way back.
  const auto names = folder_->fs_.open_directory(folder_->directory_);
  {
    const std::lock_guard lock{folder_->mutex_};
    folder_->fs_.rename(path_, name);
    out_.reset();
    forget();
  }
  try {
    names->sync();
  } catch (const file_error&) {
    const std::lock_guard lock{folder_->mutex_};
    try_to_remove(folder_->fs_, name);
    throw;
  }
}

} // namespace troupe
