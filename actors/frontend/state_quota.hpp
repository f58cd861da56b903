// The limit of the size of all services' state.
#pragma once

#include "services/command.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>

namespace troupe {

/// Pure. All sizes are in bytes. Beyond the quota only commands that do not make the state larger may be proposed.
class state_quota {
 public:
  /// The tags of the commands, by service, that never make the state larger.
  using tags_by_service = std::map<std::string, std::set<std::string, std::less<>>, std::less<>>;

  /// `most` 0: no limit.
  explicit state_quota(std::uint64_t most) : most_(most) {}

  void set_size(std::uint64_t bytes) { size_ = bytes; }
  void set_non_growing(tags_by_service tags) { non_growing_ = std::move(tags); }

  /// Proposed commands, which have `proposed` bytes together, count by their payload. A command that may exceed the
  /// quota is proposed only if its service says that it does not make the state larger.
  bool may_exceed(const services::command_view& what, std::size_t proposed) const {
    if (most_ == 0) return false;
    const auto harmless = non_growing_.find(what.service);
    if (harmless != non_growing_.end() && harmless->second.contains(what.tag)) return false;
    return size_ + proposed + what.payload.size() > most_;
  }
  /// The error text for a command that would exceed the quota.
  std::string objection() const {
    return "the state has " + std::to_string(size_) + " bytes, and its quota is " + std::to_string(most_) +
           ": remove something first";
  }

 private:
  std::uint64_t most_;
  std::uint64_t size_ = 0;
  tags_by_service non_growing_;
};

} // namespace troupe
