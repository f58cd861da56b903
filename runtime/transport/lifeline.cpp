#include "runtime/transport/lifeline.hpp"

#include <sys/socket.h>

namespace troupe::net {

lifeline::lifeline(int socket, std::string peer, std::chrono::milliseconds silence_limit,
                   std::weak_ptr<const realm> opened_in)
    : peer_(std::move(peer)), network_(network_of(peer_)), realm_(std::move(opened_in)), has_realm_(!realm_.expired()),
      limit_(silence_limit.count()), heard_at_(now()), socket_(socket) {}

void lifeline::share_with(const lifeline& other) noexcept {
  const auto theirs = other.limit_.load();
  for (auto ours = limit_.load(); theirs < ours && !limit_.compare_exchange_weak(ours, theirs);) continue;
}

bool lifeline::is_of_same_realm(const lifeline& other) const noexcept {
  return !realm_.owner_before(other.realm_) && !other.realm_.owner_before(realm_);
}

bool lifeline::ended() const {
  const std::lock_guard lock(mutex_);
  return socket_ < 0;
}

void lifeline::end() {
  const std::lock_guard lock(mutex_);
  socket_ = -1;
}

void lifeline::cut() {
  const std::lock_guard lock(mutex_);
  if (socket_ >= 0) ::shutdown(socket_, SHUT_RDWR);
}

} // namespace troupe::net
