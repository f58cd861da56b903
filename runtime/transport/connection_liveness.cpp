#include "runtime/transport/connection_liveness.hpp"

#include "runtime/transport/system_network.hpp"

#include <sys/socket.h>

namespace troupe::net {
namespace {

std::weak_ptr<const void> files_of(const std::weak_ptr<const realm>& opened_in) {
  const auto found = opened_in.lock();
  return found ? found->receivers : nullptr;
}

} // namespace

connection_liveness::connection_liveness(int socket, std::string peer, std::chrono::milliseconds silence_limit,
                                         std::weak_ptr<const realm> opened_in)
    : peer_(std::move(peer)), network_(network_of(peer_)), files_(files_of(opened_in)), limit_(silence_limit.count()),
      heard_at_(now()), socket_(socket), realm_(std::move(opened_in)) {}

void connection_liveness::share_with(const connection_liveness& other) {
  const auto users = [&] {
    const std::lock_guard lock(other.mutex_);
    return other.realm_;
  }();
  {
    const std::lock_guard lock(mutex_);
    realm_ = users;
  }
  const auto theirs = other.limit_.load();
  for (auto ours = limit_.load(); theirs < ours && !limit_.compare_exchange_weak(ours, theirs);) continue;
}

bool connection_liveness::is_of_same_realm(const connection_liveness& other) const noexcept {
  return !files_.owner_before(other.files_) && !other.files_.owner_before(files_);
}

bool connection_liveness::is_orphaned() const {
  const std::lock_guard lock(mutex_);
  const std::weak_ptr<const void> none;
  const bool has_realm = files_.owner_before(none) || none.owner_before(files_);
  return has_realm && realm_.expired();
}

bool connection_liveness::ended() const {
  const std::lock_guard lock(mutex_);
  return socket_ < 0;
}

void connection_liveness::end() {
  const std::lock_guard lock(mutex_);
  socket_ = -1;
}

void connection_liveness::cut() {
  const std::lock_guard lock(mutex_);
  if (socket_ >= 0) ::shutdown(socket_, SHUT_RDWR);
}

} // namespace troupe::net
