#include "runtime/storage/file_system.hpp"

#include <cerrno>
#include <system_error>

namespace troupe {
namespace {

std::string describe(std::string_view call, const std::filesystem::path& path, int code) {
  return std::string{call} + " " + path.string() + ": " + std::generic_category().message(code);
}

/// After a failed sync nobody knows what the disk holds, whatever the cause.
bool is_no_space(std::string_view call, int code) { return (code == ENOSPC || code == EDQUOT) && call != "sync"; }

} // namespace

file_error::file_error(std::string_view call, const std::filesystem::path& path, int code)
    : storage_error(describe(call, path, code), is_no_space(call, code)), code_(code) {}

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
  fs.make_directory(path);
  fs.sync_directory(path);
  const auto above = path.parent_path();
  if (!above.empty()) fs.sync_directory(above);
}

} // namespace troupe
