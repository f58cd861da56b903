#include "runtime/storage/overlay_file_system.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace troupe {

using std::filesystem::path;

class overlay_file final : public file {
 public:
  overlay_file(const overlay_file_system& fs, std::shared_ptr<overlay_file_system::node> target)
      : fs_(fs), node_(std::move(target)) {}

  std::uint64_t size() override { return node_->size; }

  std::size_t read(std::uint64_t offset, std::span<char> into) override {
    const auto size =
        static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), node_->size - std::min(offset, node_->size)));
    into = into.first(size);
    std::size_t done = 0;
    if (node_->beneath) {
      done = node_->beneath->read(offset, into);
      if (fs_.on_read_) fs_.on_read_(done);
    }
    std::fill(into.begin() + static_cast<std::ptrdiff_t>(done), into.end(), '\0');
    for (const auto& [at, bytes] : node_->written) {
      const auto from = std::max(at, offset);
      const auto to = std::min(at + bytes.size(), offset + size);
      if (from < to) bytes.copy(into.data() + (from - offset), to - from, from - at);
    }
    return size;
  }

  void write(std::uint64_t offset, std::string_view data) override {
    node_->written.emplace_back(offset, data);
    node_->size = std::max<std::uint64_t>(node_->size, offset + data.size());
  }

  void preallocate(std::uint64_t size) override { node_->size = std::max(node_->size, size); }
  void sync() override {}

 private:
  const overlay_file_system& fs_;
  std::shared_ptr<overlay_file_system::node> node_;
};

std::unique_ptr<file> overlay_file_system::open(const path& name) {
  auto found = nodes_.find(name);
  if (found == nodes_.end()) {
    if (removed_.contains(name)) throw file_error("open", name, ENOENT);
    auto opened = std::make_shared<node>();
    opened->beneath = under_.open_to_read(name);
    opened->size = opened->beneath->size();
    found = nodes_.emplace(name, std::move(opened)).first;
  }
  return std::make_unique<overlay_file>(*this, found->second);
}

std::unique_ptr<file> overlay_file_system::create(const path& name) {
  nodes_[name] = std::make_shared<node>();
  return open(name);
}

bool overlay_file_system::exists(const path& name) {
  return nodes_.contains(name) || (!removed_.contains(name) && under_.exists(name));
}

std::vector<std::string> overlay_file_system::list(const path& directory) {
  std::set<std::string> names;
  for (auto& name : under_.list(directory))
    if (!removed_.contains(directory / name)) names.insert(std::move(name));
  for (const auto& [name, ignored] : nodes_)
    if (name.parent_path() == directory) names.insert(name.filename().string());
  return {names.begin(), names.end()};
}

void overlay_file_system::rename(const path& from, const path& to) {
  open(from);
  nodes_[to] = nodes_.at(from);
  remove(from);
}

void overlay_file_system::remove(const path& name) {
  if (!exists(name)) throw file_error("unlink", name, ENOENT);
  nodes_.erase(name);
  if (under_.exists(name)) removed_.insert(name);
}

} // namespace troupe
