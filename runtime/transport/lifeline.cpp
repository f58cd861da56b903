#include "runtime/transport/lifeline.hpp"

#include <sys/socket.h>

namespace troupe::net {

lifeline::lifeline(int socket, std::string peer)
    : peer_(std::move(peer)), network_(network_of(peer_)), heard_at_(now()), socket_(socket) {}

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
