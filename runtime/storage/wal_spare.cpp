#include "runtime/storage/wal_spare.hpp"

#include <utility>

namespace troupe {

wal_spare::wal_spare(file_system& fs, const std::filesystem::path& directory, std::uint64_t size)
    : fs_(fs), path_(directory / "spare"), size_(size) {}

bool wal_spare::prepare() {
  if (file_) return true;
  try {
    file_ = take(size_);
  } catch (const file_error& error) {
    if (!error.no_space()) throw;
  }
  return file_ != nullptr;
}

std::unique_ptr<file> wal_spare::become(wal_segment& segment) {
  auto out = std::exchange(file_, nullptr);
  if (!out) {
    out = take(segment.header.capacity);
  } else if (segment.header.capacity > size_) {
    out->preallocate(segment.header.capacity);
  }
  out->write(0, wal_format::encode(segment.header));
  out->sync();
  fs_.rename(path_, segment.path);
  fs_.sync_directory(segment.path.parent_path());
  segment.end = wal_format::first_record;
  return out;
}

std::unique_ptr<file> wal_spare::take(std::uint64_t size) {
  try {
    auto out = find_or_create();
    out->preallocate(size);
    return out;
  } catch (const file_error&) {
    // Half a spare would take the room that others may need.
    try {
      if (fs_.exists(path_)) fs_.remove(path_);
    } catch (const file_error&) { // the first failure is the one to report
    }
    throw;
  }
}

std::unique_ptr<file> wal_spare::find_or_create() {
  if (fs_.exists(path_)) {
    // No record is ever written to a file of this name: behind its first page it holds zeros only.
    auto left = fs_.open(path_);
    if (left->size() <= size_) return left;
    left.reset();
    fs_.remove(path_);
  }
  return fs_.create(path_);
}

} // namespace troupe
