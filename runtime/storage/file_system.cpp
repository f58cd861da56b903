#include "runtime/storage/file_system.hpp"

#include "runtime/os/os_error.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

namespace troupe {
namespace {

std::string describe(std::string_view call, const std::filesystem::path& path, int code) {
  return std::string{call} + " " + path.string() + ": " + std::generic_category().message(code);
}

os_error class_of(std::string_view call, int code) { return call == "sync" ? classify_sync(code) : classify(code); }

/// Makes the name of a directory that was there already durable: an earlier process may have made it and ended before
/// that. Where the directory above cannot be opened or is on a read-only file system, this process's user did not make
/// the name; where its file system cannot sync directories (errno EINVAL or ENOTSUP), there is no more to be done.
void settle_name(file_system& fs, const std::filesystem::path& existing) {
  if (!existing.has_relative_path()) return;
  try {
    fs.sync_directory(existing.parent_path());
  } catch (const file_error& error) {
    constexpr std::array tolerable{EACCES, EPERM, EROFS, EINVAL, ENOTSUP};
    if (std::find(tolerable.begin(), tolerable.end(), error.code()) == tolerable.end()) throw;
  }
}

} // namespace

file_error::file_error(std::string_view call, const std::filesystem::path& path, int code)
    : storage_error(describe(call, path, code), class_of(call, code) == os_error::no_room, false,
                    class_of(call, code) == os_error::temporary),
      code_(code) {}

void replace_file(file_system& fs, const std::filesystem::path& path, std::string_view content) {
  auto temporary = path;
  temporary += ".tmp";
  {
    const auto out = fs.create(temporary);
    out->write(0, content);
    out->sync();
  }
  fs.rename(temporary, path);
  fs.sync_directory(path.parent_path());
}

std::string read_file(file_system& fs, const std::filesystem::path& path) {
  const auto in = fs.open_to_read(path);
  std::string content(in->size(), '\0');
  content.resize(in->read(0, content));
  return content;
}

void make_durable_directory(file_system& fs, const std::filesystem::path& path) {
  const auto above = path.parent_path();
  if (fs.exists(path) || above == path) {
    settle_name(fs, path);
  } else {
    if (!above.empty()) make_durable_directory(fs, above);
    fs.make_directory(path);
    fs.sync_directory(above);
  }
  fs.sync_directory(path);
}

} // namespace troupe
