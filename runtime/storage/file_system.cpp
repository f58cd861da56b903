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

/// Makes the name of an existing directory durable: an earlier process may have created it and stopped before the sync.
/// If the parent cannot be opened or is on a read-only file system, this process's user did not create the name. If its
/// file system cannot sync directories (errno EINVAL or ENOTSUP), nothing more can be done.
void make_name_durable(file_system& fs, const std::filesystem::path& existing) {
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
    make_name_durable(fs, path);
  } else {
    if (!above.empty()) make_durable_directory(fs, above);
    fs.make_directory(path);
    fs.sync_directory(above);
  }
  fs.sync_directory(path);
}

} // namespace troupe
