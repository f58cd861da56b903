#include "discovery/mdns_method.hpp"

#include "discovery/avahi_session.hpp"

#include <stdexcept>
#include <utility>

namespace troupe {
namespace {

using namespace std::chrono_literals;

constexpr auto first_pause = 500ms;
constexpr auto longest_pause = 15s;
/// Between two looks at instances that did not say where they are.
constexpr auto resolve_interval = 10s;

} // namespace

mdns_method::mdns_method(mdns_service service, std::uint64_t seed)
    : service_(std::move(service)), backoff_(first_pause, longest_pause, seed) {}

void mdns_method::announce(const mdns_identity& who) {
  const std::lock_guard lock{mutex_};
  if (who_ == who) return;
  who_ = who;
  changed_.notify_all();
}

void mdns_method::run(const std::stop_token& stop, method_listener& listener) {
  while (!stop.stop_requested()) {
    if (serve(stop, listener)) backoff_.succeeded();
    if (!pause_for(stop, backoff_.failed())) return;
  }
}

/// Until the session is over; says whether there was one. What was seen stays: that the daemon is gone says nothing of
/// the peers.
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
    const bool woken = changed_.wait_for(lock, stop, resolve_interval, [&] { return failed || announced != who_; });
    if (failed) return true;
    const auto who = who_;
    lock.unlock(); // Avahi's callbacks take it while they hold Avahi's
    if (!woken)
      session.resolve_again();
    else if (who && who != announced)
      session.announce(*(announced = who));
  }
  return true;
} catch (const std::runtime_error& why) {
  listener.trouble(why.what());
  return false;
}

} // namespace troupe
