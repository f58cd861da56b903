#include "runtime/storage/memory_file_system.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace troupe {

using std::filesystem::path;
using kind_t = disk_operation::kind_t;

namespace {

void overwrite(std::string& content, std::uint64_t offset, std::string_view data) {
  if (content.size() < offset + data.size()) content.resize(offset + data.size());
  std::copy(data.begin(), data.end(), content.begin() + static_cast<std::ptrdiff_t>(offset));
}

/// Makes the name changes in `directory` durable, in their order, and removes them from `changes`.
template <typename Changes, typename Names> void settle(Changes& changes, Names& durable, const path& directory) {
  std::erase_if(changes, [&](auto& change) {
    if (change.path.parent_path() != directory) return false;
    if (change.target)
      durable[change.path] = change.target;
    else
      durable.erase(change.path);
    return true;
  });
}

class memory_lock final : public file_lock {
 public:
  memory_lock(std::shared_ptr<std::map<path, int>> held, path name) : held_(std::move(held)), path_(std::move(name)) {
    ++(*held_)[path_];
  }
  memory_lock(const memory_lock&) = delete;
  ~memory_lock() override { --(*held_)[path_]; }

 private:
  std::shared_ptr<std::map<path, int>> held_;
  path path_;
};

} // namespace

void memory_file_system::node::write(std::uint64_t offset, std::string_view data) {
  overwrite(cached, offset, data);
  unsynced.push_back({offset, std::string{data}});
}

/// An open file of a memory_file_system.
class memory_file final : public file {
 public:
  memory_file(memory_file_system& fs, path name, std::shared_ptr<memory_file_system::node> target, bool writable)
      : fs_(fs), path_(std::move(name)), node_(std::move(target)), writable_(writable) {}

  std::uint64_t size() override {
    fs_.look(kind_t::size, path_);
    return node_->cached.size();
  }

  std::size_t read(std::uint64_t offset, std::span<char> into) override {
    fs_.look(kind_t::read, path_);
    if (offset >= node_->cached.size()) return 0;
    return node_->cached.copy(into.data(), into.size(), offset);
  }

  void write(std::uint64_t offset, std::string_view data) override {
    if (!writable_) throw file_error("write", path_, EBADF);
    fs_.announce({kind_t::write, path_, offset, data.size()});
    node_->write(offset, data);
  }

  void preallocate(std::uint64_t size) override {
    fs_.announce({kind_t::preallocate, path_, 0, size});
    const auto old = node_->cached.size();
    if (size > old) node_->write(old, std::string(size - old, '\0'));
  }

  void sync() override {
    try {
      fs_.announce({kind_t::sync, path_, 0, 0});
    } catch (...) {
      node_->unsynced.clear();
      throw;
    }
    for (const auto& part : node_->unsynced) overwrite(node_->durable, part.offset, part.data);
    node_->unsynced.clear();
  }

 private:
  memory_file_system& fs_;
  path path_;
  std::shared_ptr<memory_file_system::node> node_;
  bool writable_;
};

/// An open directory of a memory_file_system.
class memory_directory final : public directory {
 public:
  memory_directory(memory_file_system& fs, path name) : fs_(fs), path_(std::move(name)) {}
  void sync() override { fs_.sync_directory(path_); }

 private:
  memory_file_system& fs_;
  path path_;
};

std::shared_ptr<memory_file_system::node> memory_file_system::find(const path& name, std::string_view call) const {
  const auto found = names_.find(name);
  if (found == names_.end()) throw file_error(call, name, ENOENT);
  return found->second;
}

void memory_file_system::set_name(const path& name, std::shared_ptr<node> target) {
  if (target)
    names_[name] = target;
  else
    names_.erase(name);
  unsynced_names_.push_back({name, std::move(target)});
}

std::unique_ptr<file> memory_file_system::open(const path& name) {
  look(kind_t::open, name);
  return std::make_unique<memory_file>(*this, name, find(name, "open"), true);
}

std::unique_ptr<file> memory_file_system::open_to_read(const path& name) {
  look(kind_t::open, name);
  return std::make_unique<memory_file>(*this, name, find(name, "open"), false);
}

std::unique_ptr<file> memory_file_system::create(const path& name) {
  if (!name.parent_path().empty() && !directories_.contains(name.parent_path())) throw file_error("open", name, ENOENT);
  announce({kind_t::create, name, 0, 0});
  // A new node even for an existing name: the truncation then becomes durable together with the name.
  set_name(name, std::make_shared<node>());
  return std::make_unique<memory_file>(*this, name, names_.at(name), true);
}

bool memory_file_system::exists(const path& name) {
  look(kind_t::exists, name);
  return names_.contains(name) || directories_.contains(name);
}

std::vector<std::string> memory_file_system::list(const path& directory) {
  look(kind_t::list, directory);
  std::vector<std::string> found;
  for (const auto& [name, target] : names_)
    if (name.parent_path() == directory) found.push_back(name.filename().string());
  for (const auto& name : directories_)
    if (name != directory && name.parent_path() == directory) found.push_back(name.filename().string());
  std::sort(found.begin(), found.end());
  return found;
}

void memory_file_system::rename(const path& from, const path& to) {
  const auto target = find(from, "rename");
  announce({kind_t::rename, from, 0, 0});
  set_name(to, target);
  set_name(from, nullptr);
}

void memory_file_system::remove(const path& name) {
  find(name, "unlink");
  announce({kind_t::remove, name, 0, 0});
  set_name(name, nullptr);
}

void memory_file_system::make_directory(const path& name) {
  if (directories_.contains(name)) return;
  announce({kind_t::make_directory, name, 0, 0});
  for (auto part = name; !part.empty() && directories_.insert(part).second;) part = part.parent_path();
}

void memory_file_system::sync_directory(const path& name) {
  announce({kind_t::sync_directory, name, 0, 0});
  settle(unsynced_names_, durable_names_, name);
}

std::unique_ptr<directory> memory_file_system::open_directory(const path& name) {
  look(kind_t::open_directory, name);
  return std::make_unique<memory_directory>(*this, name);
}

std::unique_ptr<file_lock> memory_file_system::lock(const path& name, std::string& holder) {
  if ((*locked_)[name] == 0 && (*shared_)[name] == 0) return std::make_unique<memory_lock>(locked_, name);
  holder = "another node of this simulation";
  return nullptr;
}

std::unique_ptr<file_lock> memory_file_system::lock_shared(const path& name, std::string& holder) {
  if ((*locked_)[name] == 0) return std::make_unique<memory_lock>(shared_, name);
  holder = "another node of this simulation";
  return nullptr;
}

std::uint64_t memory_file_system::draw_random() {
  // splitmix64 (Steele, Lea, Flood 2014)
  auto z = random_ += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

std::unique_ptr<memory_file_system> memory_file_system::crashed(const survives& lands, name_order order) const {
  auto after = std::make_unique<memory_file_system>(random_);
  after->directories_ = directories_;
  auto found = durable_names_;
  for (const auto& change : unsynced_names_) {
    const bool landed = lands();
    if (!landed && order == name_order::kept) break;
    if (!landed) continue;
    if (change.target)
      found[change.path] = change.target;
    else
      found.erase(change.path);
  }
  for (const auto& [name, old] : found) {
    auto copy = std::make_shared<node>();
    copy->durable = old->durable;
    for (const auto& part : old->unsynced) {
      std::string_view left = part.data;
      for (auto offset = part.offset; !left.empty();) {
        const auto size = std::min<std::uint64_t>(left.size(), sector - offset % sector);
        if (lands()) overwrite(copy->durable, offset, left.substr(0, size));
        offset += size;
        left.remove_prefix(size);
      }
    }
    copy->cached = copy->durable;
    after->names_[name] = after->durable_names_[name] = std::move(copy);
  }
  return after;
}

std::string memory_file_system::content(const path& name) const { return find(name, "open")->cached; }

void memory_file_system::flip_byte(const path& name, std::uint64_t offset) {
  const auto target = find(name, "open");
  for (auto* bytes : {&target->cached, &target->durable})
    if (offset < bytes->size()) (*bytes)[offset] = static_cast<char>((*bytes)[offset] ^ 0x40);
}

} // namespace troupe
