#include "runtime/transport/channel.hpp"

#include <sys/socket.h>

#include <cerrno>

namespace troupe::net {
namespace {

class plain_channel : public channel {
 public:
  explicit plain_channel(int socket) : socket_(socket) {}

  transfer read(char* to, std::size_t size) override { return result(::recv(socket_, to, size, 0)); }
  transfer write(const char* from, std::size_t size) override {
    return result(::send(socket_, from, size, MSG_NOSIGNAL));
  }
  bool holds_bytes() const override { return false; }

 private:
  static transfer result(ssize_t moved) {
    if (moved > 0) return {flow::moved, static_cast<std::size_t>(moved)};
    const bool later = moved < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
    return {later ? flow::again : flow::closed, 0};
  }

  int socket_;
};

} // namespace

std::unique_ptr<channel> make_plain_channel(int socket) { return std::make_unique<plain_channel>(socket); }

} // namespace troupe::net
