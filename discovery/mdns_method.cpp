#include "discovery/mdns_method.hpp"

#include "discovery/avahi_session.hpp"

#include <stdexcept>
#include <utility>

namespace troupe {
namespace {

using namespace std::chrono_literals;

constexpr auto first_pause = 500ms;
constexpr auto longest_pause = 15s;
/// Interval for resolving again the instances whose address is unknown.
constexpr auto resolve_interval = 10s;

} // namespace

mdns_method::mdns_method(mdns_service service, std::uint64_t seed)
    : service_(std::move(service)), backoff_(first_pause, longest_pause, seed) {}

void mdns_method::announce(const mdns_identity& identity) {
  const std::lock_guard lock{mutex_};
  if (identity_ == identity) return;
  identity_ = identity;
  changed_.notify_all();
}

void mdns_method::run(const std::stop_token& stop, method_listener& listener) {
  while (!stop.stop_requested()) {
    if (serve(stop, listener)) backoff_.succeeded();
    if (!pause_for(stop, backoff_.failed())) return;
  }
}

/// Runs until the session ends; returns whether there was one. The peers seen remain: a stopped daemon says nothing
/// about them.
bool mdns_method::serve(const std::stop_token& stop, method_listener& listener) try {
  bool failed = false;
  avahi_session session{service_.type, listener, [&] {
                          const std::lock_guard lock{mutex_};
                          failed = true;
                          changed_.notify_all();
                        }};
  std::optional<mdns_identity> announced;
  while (!stop.stop_requested()) {
    std::unique_lock lock{mutex_};
    const bool woken =
        changed_.wait_for(lock, stop, resolve_interval, [&] { return failed || announced != identity_; });
    if (failed) return true;
    const auto identity = identity_;
    lock.unlock(); // Avahi's callbacks lock it while they hold Avahi's lock
    if (!woken)
      session.resolve_again();
    else if (identity && identity != announced)
      session.announce(*(announced = identity));
  }
  return true;
} catch (const std::runtime_error& why) {
  listener.problem(why.what());
  return false;
}

} // namespace troupe
