#include "actors/dialer.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

namespace troupe {
namespace {

/// How long sent bytes may stay unacknowledged before the kernel gives the connection up.
constexpr unsigned unacknowledged_ms = 5000;

/// A socket until somebody takes it over.
class socket_guard {
 public:
  explicit socket_guard(int fd) : fd_(fd) {}
  socket_guard(const socket_guard&) = delete;
  socket_guard& operator=(const socket_guard&) = delete;
  ~socket_guard() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const noexcept { return fd_; }
  int release() noexcept { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

/// CAF's middleman actor with a `connect` that has a deadline. Blocks its thread, which is its own.
class dialer : public caf::io::middleman_actor_impl {
 public:
  dialer(caf::actor_config& config, caf::actor broker, std::chrono::milliseconds deadline)
      : middleman_actor_impl(config, std::move(broker)), deadline_(deadline) {}
  const char* name() const override { return "dialer"; }

 protected:
  caf::expected<caf::io::scribe_ptr> connect(const std::string& host, std::uint16_t port) override {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_NUMERICSERV;
    addrinfo* found = nullptr;
    if (const int e = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found); e != 0)
      return failure(::gai_strerror(e));
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> addresses{found, ::freeaddrinfo};
    give_up_at_ = clock().now() + deadline_;
    std::string problem = "no address";
    for (const auto* a = addresses.get(); a != nullptr; a = a->ai_next) {
      socket_guard fd{::socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->ai_protocol)};
      problem = fd.get() < 0 ? std::strerror(errno) : try_one(fd.get(), *a);
      if (problem.empty()) return system().middleman().backend().new_scribe(fd.release());
    }
    return failure(problem);
  }

 private:
  static caf::error failure(const std::string& text) { return caf::make_error(caf::sec::cannot_connect_to_node, text); }

  /// Connects, and waits for the first bytes of the other side: in BASP the listener speaks first, and one that does
  /// not is none of ours. Returns what went wrong.
  std::string try_one(int fd, const addrinfo& a) {
    if (::connect(fd, a.ai_addr, a.ai_addrlen) != 0) {
      if (errno != EINPROGRESS) return std::strerror(errno);
      if (!wait_for(fd, POLLOUT)) return "connecting takes too long";
      int error = 0;
      socklen_t size = sizeof error;
      if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
      if (error != 0) return std::strerror(error);
    }
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unacknowledged_ms, sizeof unacknowledged_ms);
    if (!wait_for(fd, POLLIN)) return "connected, but nobody speaks";
    char first = 0;
    if (::recv(fd, &first, 1, MSG_PEEK) != 1) return "connected, but closed at once";
    return {};
  }

  bool wait_for(int fd, short what) {
    while (true) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(give_up_at_ - clock().now());
      if (left.count() <= 0) return false;
      pollfd p{fd, what, 0};
      const int ready = ::poll(&p, 1, static_cast<int>(left.count()));
      if (ready > 0) return true;
      if (ready == 0 || errno != EINTR) return false;
    }
  }

  std::chrono::milliseconds deadline_;
  raft::time_point give_up_at_;
};

} // namespace

connector::connector(caf::actor_config& config, std::string host, std::uint16_t port, dial_options options)
    : connector_handle::base(config), host_(std::move(host)), port_(port), options_(options) {
  set_down_handler([this](const caf::down_msg&) { hung_ = false; });
}

connector_handle::behavior_type connector::make_behavior() {
  return {[this](const dial&) { return connect(); }};
}

void connector::on_exit() {
  if (dialer_) anon_send_exit(*dialer_, caf::exit_reason::user_shutdown);
  dialer_.reset();
}

caf::result<dialed> connector::connect() {
  // One thread per address at most, however slowly its name resolves.
  if (hung_) return caf::make_error(caf::sec::cannot_connect_to_node, "the last attempt has not ended yet");
  if (!dialer_)
    dialer_ = caf::actor_cast<compat::middleman_actor>(
        system().spawn<dialer, caf::detached + caf::hidden>(compat::basp_broker(system()), options_.deadline));
  auto promise = make_response_promise<dialed>();
  compat::request_connect(
      this, *dialer_, options_.deadline + options_.patience, host_, port_,
      [promise](caf::strong_actor_ptr found) mutable {
        if (found)
          promise.deliver(dialed{caf::actor_cast<endpoint_handle>(std::move(found))});
        else
          promise.deliver(caf::make_error(caf::sec::no_actor_published_at_port, "nothing is published there"));
      },
      [this, promise](const caf::error& e) mutable {
        if (e == caf::sec::request_timeout && dialer_) {
          hung_ = true;
          monitor(*dialer_);
          anon_send_exit(*dialer_, caf::exit_reason::user_shutdown);
          dialer_.reset();
        }
        promise.deliver(e);
      });
  return promise;
}

} // namespace troupe
