#include "runtime/transport/watchdog.hpp"

#include <algorithm>
#include <utility>

namespace troupe::net {

void watchdog::add(std::shared_ptr<lifeline> one) {
  const std::lock_guard lock(mutex_);
  all_.push_back(std::move(one));
}

watchdog::count watchdog::open(const std::string& peer) const {
  const std::lock_guard lock(mutex_);
  count found;
  for (const auto& one : all_) {
    if (one->ended()) continue;
    ++found.all;
    if (one->peer() == peer) ++found.from_peer;
  }
  return found;
}

std::vector<std::string> watchdog::look(steady_time now) {
  const std::lock_guard lock(mutex_);
  if (now - looked_at_ > 3 * pace) awake_since_ = now;
  looked_at_ = now;
  std::vector<std::string> cut;
  std::erase_if(all_, [&](const auto& one) {
    if (one->ended()) return true;
    const bool silent = now - std::max(one->heard_at(), awake_since_) > limit_;
    const bool late = !one->is_introduced() && now - std::max(one->since(), awake_since_) > introduction_limit;
    if (!silent && !late) return false;
    one->cut();
    cut.push_back(one->peer());
    return true;
  });
  return cut;
}

} // namespace troupe::net
