#include "runtime/transport/watchdog.hpp"

#include <algorithm>
#include <utility>

namespace troupe::net {

void watchdog::add(std::shared_ptr<connection_liveness> one) {
  const std::lock_guard lock(mutex_);
  all_.push_back(std::move(one));
}

watchdog::count watchdog::open(const std::string& network) const {
  const std::lock_guard lock(mutex_);
  count found;
  for (const auto& one : all_) {
    if (one->ended()) continue;
    ++found.all;
    if (one->network() == network) ++found.of_network;
  }
  return found;
}

std::vector<watchdog::cut> watchdog::poll(steady_time now) {
  const std::lock_guard lock(mutex_);
  if (now - polled_at_ > 3 * pace) awake_since_ = now;
  polled_at_ = now;
  std::vector<cut> cuts;
  std::erase_if(all_, [&](const auto& one) {
    if (one->ended()) return true;
    const bool silent = !one->is_held() && now - std::max(one->heard_at(), awake_since_) > one->silence_limit();
    const bool late = !one->is_introduced() && now - std::max(one->since(), awake_since_) > introduction_limit;
    if (!silent && !late) return false;
    one->cut();
    cuts.push_back({one->peer(), silent ? incident::cut_silent : incident::cut_unintroduced});
    return true;
  });
  return cuts;
}

} // namespace troupe::net
