#include "runtime/storage/wal_spare.hpp"

#include <utility>

namespace troupe {

wal_spare::wal_spare(file_system& fs, const std::filesystem::path& directory, std::uint64_t size)
    : fs_(fs), directory_(directory), path_(directory / "spare"), size_(size) {}

bool wal_spare::prepare() {
  try {
    if (!names_) names_ = fs_.open_directory(directory_);
    if (!file_) file_ = take(size_);
    had_room_ = true;
  } catch (const file_error& error) {
    if (!error.no_space() && !error.temporary()) throw;
    if (error.no_space()) had_room_ = false;
  }
  return had_room_;
}

std::unique_ptr<file> wal_spare::become(wal_segment& segment) {
  if (!names_) names_ = fs_.open_directory(directory_);
  if (!file_) file_ = take(segment.header.capacity);
  // Up to the rename, all of this may be repeated.
  if (segment.header.capacity > size_) file_->preallocate(segment.header.capacity);
  file_->write(0, wal_format::encode(segment.header));
  file_->sync();
  fs_.rename(path_, segment.path);
  names_->sync();
  segment.end = wal_format::first_record;
  return std::exchange(file_, nullptr);
}

std::unique_ptr<file> wal_spare::take(std::uint64_t size) {
  try {
    auto out = find_or_create();
    out->preallocate(size);
    return out;
  } catch (const file_error& error) {
    if (error.temporary()) throw; // the next attempt continues with this file
    // An incomplete spare would occupy space that others may need.
    try {
      if (fs_.exists(path_)) fs_.remove(path_);
    } catch (const file_error&) { // report the first failure
    }
    throw;
  }
}

std::unique_ptr<file> wal_spare::find_or_create() {
  if (fs_.exists(path_)) {
    // No record is ever written to a file of this name: after its first page it contains only zeros.
    auto left = fs_.open(path_);
    if (left->size() <= size_) return left;
    left.reset();
    fs_.remove(path_);
  }
  return fs_.create(path_);
}

} // namespace troupe
