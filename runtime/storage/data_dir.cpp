#include "runtime/storage/data_dir.hpp"

#include "runtime/storage/damage.hpp"

#include <utility>

namespace troupe {
namespace {

/// Enough for two blocks on any file system: the new identity file, and the directory when it grows by that name.
constexpr std::uint64_t reserve_size = 16'384;

} // namespace

data_dir::data_dir(file_system& fs, std::filesystem::path directory) : fs_(fs), directory_(std::move(directory)) {
  retry_temporary(fs_, [&] { make_durable_directory(fs_, directory_); });
  std::string holder;
  lock_ = retry_temporary(fs_, [&] { return fs_.lock(directory_ / "lock", holder); });
  if (!lock_)
    throw raft::storage_error("data directory " + directory_.string() + " is in use by " +
                              (holder.empty() ? "another process" : holder) + " (lock file " +
                              (directory_ / "lock").string() + ")");
  auto next = retry_temporary(fs_, [&] { return load_or_create(); });
  ++next.starts;
  store(std::move(next));
  incarnation_ = identity_.starts << 32 | (fs_.draw_random() & 0xffffffff);
}

identity data_dir::load_or_create() {
  if (fs_.exists(identity_path())) return decode_identity(read_file(fs_, identity_path()), identity_path());
  if (!fs_.list(log_path()).empty())
    throw raft::storage_error("identity file " + identity_path().string() + " is missing, but there is a log in " +
                                  log_path().string() + ": restore the file, or give up the log " +
                                  repair_advice(directory_),
                              false, true);
  identity drawn;
  while (!drawn.id) drawn.id.value = fs_.draw_random();
  return drawn;
}

void data_dir::store(identity next) {
  const auto content = encode_identity(next);
  const auto replace = [&] { replace_file(fs_, identity_path(), content); };
  try {
    retry_temporary(fs_, replace);
  } catch (const file_error& error) {
    if (!error.no_space() || !fs_.exists(reserve_path())) throw;
    retry_temporary(fs_, [&] { fs_.remove(reserve_path()); });
    retry_temporary(fs_, replace);
  }
  identity_ = std::move(next);
  keep_reserve();
}

void data_dir::keep_reserve() {
  try {
    if (fs_.exists(reserve_path()) && fs_.open_to_read(reserve_path())->size() >= reserve_size) return;
    const auto out = fs_.create(reserve_path());
    out->preallocate(reserve_size);
    out->sync();
  } catch (const file_error&) { // the reserve is missing or incomplete; the next call tries again
  }
}

void data_dir::set_cluster(raft::cluster_id cluster, std::uint64_t restored) {
  if (identity_.cluster == cluster) return;
  if (identity_.cluster)
    throw raft::storage_error("data directory " + directory_.string() + " belongs to cluster " +
                              to_string(identity_.cluster) + ", not " + to_string(cluster));
  auto next = identity_;
  next.cluster = cluster;
  next.restored = restored;
  store(std::move(next));
}

void data_dir::set_promise(std::optional<std::string> promise) {
  if (identity_.promise == promise) return;
  auto next = identity_;
  next.promise = std::move(promise);
  store(std::move(next));
}

} // namespace troupe
