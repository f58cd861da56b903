#include "runtime/transport/acceptor.hpp"

#include "runtime/transport/opening_wait.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <list>

namespace troupe::net {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using descriptor = asio::posix::stream_descriptor;

/// Connections accepted in a row before other handlers run.
constexpr int accepts_in_a_row = 16;
constexpr std::chrono::milliseconds pause_without_descriptors{100};
constexpr std::chrono::milliseconds sweep_pace{100};

/// One connection in its opening. Owned by the list of openings, and by its pending handler.
struct arrival {
  arrival(asio::io_context& io, socket_guard socket, std::string from, const credentials& mine)
      : peer(std::move(from)), network(network_of(peer)), talk(side::accepted, socket.get(), mine),
        waits(io, socket.get()) {
    socket.release(); // `waits` owns it now
  }
  std::string peer;
  std::string network;
  steady_time since = std::chrono::steady_clock::now();
  opening talk;
  descriptor waits;
  bool gone = false;
};

} // namespace

class acceptor::state : public std::enable_shared_from_this<acceptor::state> {
 public:
  state(asio::io_context& io, acceptor_options options, acceptor_owner& owner, socket_guard listening)
      : io_(io), options_(options), owner_(owner), listening_(io, listening.release()), pause_(io), sweep_(io) {}

  void start() {
    wait_for_arrivals();
    wait_for_sweep();
  }

  void stop() {
    stopped_ = true;
    error_code ignored;
    listening_.close(ignored);
    pause_.cancel();
    sweep_.cancel();
    while (!openings_.empty()) drop(openings_.front());
  }

 private:
  void wait_for_arrivals() {
    listening_.async_wait(descriptor::wait_read, [self = shared_from_this()](error_code failed) {
      if (failed || self->stopped_) return;
      // Out of memory or another resource. Keep waiting for the socket, after a pause.
      try {
        self->accept_some();
      } catch (const std::exception&) {
        self->pause();
      }
    });
  }

  void accept_some() {
    for (int i = 0; i < accepts_in_a_row; ++i) {
      socket_guard fd{::accept4(listening_.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)};
      if (fd.get() >= 0) {
        admit(std::move(fd));
        continue;
      }
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        owner_.refused("any address", incident::refused_by_limit, "no file descriptor is left to accept connections");
        return pause();
      }
      if (errno == EAGAIN || errno == EWOULDBLOCK) break;
      // Any other error concerns only that one connection.
    }
    wait_for_arrivals();
  }

  /// The listening socket stays readable, so waiting for it again at once would spin.
  void pause() {
    pause_.expires_after(pause_without_descriptors);
    pause_.async_wait([self = shared_from_this()](error_code cancelled) {
      if (!cancelled && !self->stopped_) self->wait_for_arrivals();
    });
  }

  void admit(socket_guard fd) {
    auto peer = peer_of(fd.get());
    const auto network = network_of(peer);
    const auto [all, of_network] = owner_.open_connections(network);
    if (all >= options_.max_connections || of_network >= options_.max_connections_per_address) {
      const auto mine = owner_.current_credentials();
      const auto words = refusing_welcome(refusal::too_many_connections);
      owner_.refused(peer, incident::refused_by_limit, "too many connections are open");
      if (!mine.tls) static_cast<void>(::send(fd.get(), words.data(), words.size(), MSG_NOSIGNAL));
      return;
    }
    make_room(network, options_.max_connections - all, options_.max_connections_per_address - of_network);
    tune(fd.get());
    try {
      const auto mine = owner_.current_credentials();
      openings_.push_back(std::make_shared<arrival>(io_, std::move(fd), std::move(peer), mine));
      opening_descriptors.add(1);
    } catch (const std::exception& e) {
      return owner_.refused("an unknown address", incident::opening_failed, e.what());
    }
    go_on(openings_.back());
  }

  /// Makes room for one more opening of this network. The open connections leave `left` and `left_of_network`.
  void make_room(const std::string& network, std::size_t left, std::size_t left_of_network) {
    const auto most = std::min(options_.max_openings, left);
    const auto most_of_network = std::min(options_.max_openings_per_address, left_of_network);
    const auto is_of_network = [&](const auto& one) { return one->network == network; };
    while (true) {
      const auto count = std::count_if(openings_.begin(), openings_.end(), is_of_network);
      auto oldest = openings_.end();
      if (static_cast<std::size_t>(count) >= most_of_network)
        oldest = std::find_if(openings_.begin(), openings_.end(), is_of_network);
      else if (openings_.size() >= most || opening_descriptors.held() >= options_.max_openings_of_process)
        oldest = openings_.begin();
      if (oldest == openings_.end()) return;
      owner_.refused((*oldest)->peer, incident::refused_by_limit,
                     "newer connections displaced it before its opening was complete");
      drop(*oldest);
    }
  }

  void go_on(const std::shared_ptr<arrival>& one) {
    try {
      if (const auto what = advance(one->talk)) return wait(one, *what);
    } catch (const std::exception& e) {
      owner_.refused(one->peer, incident::opening_failed, e.what());
      return drop(one);
    }
    auto stream = one->talk.take_channel();
    socket_guard socket{one->waits.release()};
    one->gone = true;
    const auto peer = one->peer;
    take_out(one);
    owner_.passed(std::move(socket), std::move(stream), peer);
  }

  void wait(const std::shared_ptr<arrival>& one, descriptor::wait_type what) {
    one->waits.async_wait(what, [self = shared_from_this(), one](error_code failed) {
      if (!failed && !one->gone) self->go_on(one);
    });
  }

  void take_out(const std::shared_ptr<arrival>& one) { opening_descriptors.remove(std::erase(openings_, one)); }

  void drop(std::shared_ptr<arrival> one) {
    one->gone = true;
    take_out(one);
    error_code ignored;
    one->waits.close(ignored);
  }

  void wait_for_sweep() {
    sweep_.expires_after(sweep_pace);
    sweep_.async_wait([self = shared_from_this()](error_code cancelled) {
      if (cancelled || self->stopped_) return;
      self->wait_for_sweep(); // first, so that an exception below does not end the sweeps
      const auto limit = std::chrono::steady_clock::now() - self->options_.opening_timeout;
      while (!self->openings_.empty() && self->openings_.front()->since < limit) {
        self->owner_.refused(self->openings_.front()->peer, incident::opening_failed, "its opening took too long");
        self->drop(self->openings_.front());
      }
    });
  }

  asio::io_context& io_;
  acceptor_options options_;
  acceptor_owner& owner_;
  descriptor listening_;
  asio::steady_timer pause_;
  asio::steady_timer sweep_;
  /// Oldest first.
  std::list<std::shared_ptr<arrival>> openings_;
  bool stopped_ = false;
};

acceptor::acceptor(asio::io_context& io, acceptor_options options, acceptor_owner& owner, socket_guard listening)
    : state_(std::make_shared<state>(io, options, owner, std::move(listening))) {
  state_->start();
}

acceptor::~acceptor() { state_->stop(); }

} // namespace troupe::net
