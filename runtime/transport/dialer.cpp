#include "runtime/transport/dialer.hpp"

#include "runtime/transport/opening_wait.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <deque>
#include <mutex>
#include <new>
#include <set>
#include <utility>
#include <vector>

namespace troupe::net {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using descriptor = asio::posix::stream_descriptor;

/// Between the beginnings of attempts at the addresses of one name (RFC 8305 calls it connection attempt delay).
constexpr std::chrono::milliseconds attempt_delay{150};

/// One dial. Owned by the dialer's state, and by its own handlers while they wait.
struct call {
  call(asio::io_context& io, std::string to, std::uint16_t at, bool been_there)
      : host(std::move(to)), port(at), known(been_there), limit(io), next_attempt(io) {}

  std::string host;
  std::uint16_t port;
  bool known;
  dialer::taker done;
  std::shared_ptr<const resolved_host> where;
  /// The address to try next.
  const addrinfo* next = nullptr;
  /// Connections that are being tried.
  std::vector<std::shared_ptr<descriptor>> attempts;
  /// The connection that was made first, and its opening.
  std::shared_ptr<descriptor> made;
  std::unique_ptr<opening> talk;
  /// Of the phase that it is in, and what is said when it is over.
  asio::steady_timer limit;
  std::string too_late;
  asio::steady_timer next_attempt;
  std::string problem = "no address";
  bool has_place = false;
  bool over = false;
};

using call_ptr = std::shared_ptr<call>;

/// How threads of the resolver reach the io_context, as long as there is one.
struct way_home {
  explicit way_home(asio::io_context& to) : io(&to) {}
  template <class F> void post(F&& what) {
    const std::lock_guard lock(mutex);
    if (io) asio::post(*io, std::forward<F>(what));
  }
  void close() {
    const std::lock_guard lock(mutex);
    io = nullptr;
  }
  std::mutex mutex;
  asio::io_context* io;
};

} // namespace

class dialer::state : public std::enable_shared_from_this<dialer::state> {
 public:
  state(asio::io_context& io, dialer_options options, std::function<credentials()> mine, resolver_pool& names)
      : io_(io), options_(options), mine_(std::move(mine)), names_(names), home_(std::make_shared<way_home>(io)) {}

  void stop() {
    stopped_ = true;
    home_->close();
    waiting_.clear();
    while (!calls_.empty()) let_go(*calls_.begin());
  }

  void begin(std::string host, std::uint16_t port, bool known, taker done) {
    if (stopped_) return;
    call_ptr one;
    try {
      one = std::make_shared<call>(io_, std::move(host), port, known);
    } catch (const std::exception& e) {
      dial_result none;
      none.problem = e.what();
      return done(std::move(none));
    }
    one->done = std::move(done);
    contained(one, [&] {
      calls_.insert(one);
      resolve(one);
    });
  }

 private:
  /// What goes wrong in a step of a call, memory and descriptors included, ends that call and nothing else.
  template <class F> void contained(const call_ptr& one, F&& step) {
    try {
      step();
    } catch (const std::exception& e) {
      if (!one->over) fail(one, e.what());
    }
  }

  void resolve(const call_ptr& one) {
    if (resolved_host::is_literal(one->host))
      return resolved(one, {std::make_shared<const resolved_host>(one->host, one->port), {}});
    limit(one, options_.resolving, "cannot resolve " + one->host + ": timed out");
    const auto told = [home = home_, self = weak_from_this(), to = std::weak_ptr(one)](const resolution& found) {
      home->post([self, to, found] {
        const auto here = self.lock();
        const auto waits = to.lock();
        if (here && waits && !waits->over) here->contained(waits, [&] { here->resolved(waits, found); });
      });
    };
    names_.ask(one->host, one->port, told);
  }

  void resolved(const call_ptr& one, const resolution& found) {
    if (!found.found) return fail(one, found.problem);
    one->where = found.found;
    one->next = one->where->first();
    limit(one, options_.waiting, "too many addresses are being dialed");
    // Behind the last of its kind.
    const auto behind = [&](const call_ptr& other) { return one->known && !other->known; };
    waiting_.insert(std::find_if(waiting_.begin(), waiting_.end(), behind), one);
    fill_places();
  }

  /// No dialer waits for another one: the end of its own calls gives it places.
  bool has_place() const {
    return places_taken_ == 0 ||
           (places_taken_ < options_.max_at_once && dialing_descriptors.held() < options_.max_of_process);
  }

  void fill_places() {
    while (has_place() && !waiting_.empty()) {
      const auto one = waiting_.front();
      waiting_.pop_front();
      ++places_taken_;
      dialing_descriptors.add(1);
      one->has_place = true;
      contained(one, [&] {
        limit(one, options_.deadline, "connecting timed out");
        try_next(one);
      });
    }
  }

  /// Begins an attempt at the next address, and comes back for the one after it.
  void try_next(const call_ptr& one) {
    while (one->next && !one->made) {
      const auto& to = *std::exchange(one->next, one->next->ai_next);
      try {
        if (begin_attempt(one, to)) return;
      } catch (const std::exception& e) { // the system has no room to wait for the socket, or no memory
        one->problem = e.what();
      }
    }
    if (one->attempts.empty() && !one->over && !one->made) fail(one, one->problem);
  }

  /// False if there is none at this address: the call's problem says why.
  bool begin_attempt(const call_ptr& one, const addrinfo& to) {
    if (auto why = objection(one->host, *to.ai_addr, options_.where); !why.empty()) {
      one->problem = std::move(why);
      return false;
    }
    socket_guard fd{::socket(to.ai_family, to.ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, to.ai_protocol)};
    const bool connected = fd.get() >= 0 && ::connect(fd.get(), to.ai_addr, to.ai_addrlen) == 0;
    if (!connected && (fd.get() < 0 || errno != EINPROGRESS)) {
      one->problem = std::strerror(errno);
      return false;
    }
    auto attempt = std::make_shared<descriptor>(io_, fd.get());
    fd.release(); // `attempt` has it now
    if (connected) {
      open(one, attempt);
      return true;
    }
    one->attempts.push_back(attempt);
    attempt->async_wait(descriptor::wait_write, [self = shared_from_this(), one, attempt](error_code failed) {
      if (!failed && !one->over && !one->made) self->contained(one, [&] { self->tried(one, attempt); });
    });
    wait_for_next(one);
    return true;
  }

  void wait_for_next(const call_ptr& one) {
    if (!one->next) return;
    one->next_attempt.expires_after(attempt_delay);
    one->next_attempt.async_wait([self = shared_from_this(), one](error_code cancelled) {
      if (!cancelled && !one->over && !one->made) self->contained(one, [&] { self->try_next(one); });
    });
  }

  void tried(const call_ptr& one, const std::shared_ptr<descriptor>& attempt) {
    int error = 0;
    socklen_t size = sizeof error;
    if (::getsockopt(attempt->native_handle(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
    std::erase(one->attempts, attempt);
    if (error == 0) return open(one, attempt);
    one->problem = std::strerror(error);
    error_code ignored;
    attempt->close(ignored);
    if (one->attempts.empty()) try_next(one); // the pause is for those that may still answer
  }

  /// Any exception from here on ends the call: its connection is made.
  void open(const call_ptr& one, const std::shared_ptr<descriptor>& made) {
    one->made = made;
    one->too_late = "connected, but the other end does not answer in time";
    one->next_attempt.cancel();
    close_attempts(one);
    tune(made->native_handle());
    contained(one, [&] {
      one->talk = std::make_unique<opening>(side::dialed, made->native_handle(), mine_());
      go_on(one);
    });
  }

  void go_on(const call_ptr& one) {
    if (const auto what = advance(*one->talk)) return wait(one, *what);
    dial_result result;
    result.stream = one->talk->take_channel();
    result.peer = peer_of(one->made->native_handle());
    result.socket = socket_guard{one->made->release()};
    finish(one, std::move(result));
  }

  void wait(const call_ptr& one, descriptor::wait_type what) {
    one->made->async_wait(what, [self = shared_from_this(), one](error_code failed) {
      if (!failed && !one->over) self->contained(one, [&] { self->go_on(one); });
    });
  }

  void limit(const call_ptr& one, std::chrono::milliseconds time, std::string too_late) {
    one->too_late = std::move(too_late);
    one->limit.expires_after(time);
    one->limit.async_wait([self = shared_from_this(), one](error_code cancelled) {
      // One that was due already when the next phase began takes no notice of being cancelled.
      if (cancelled || one->over || one->limit.expiry() > std::chrono::steady_clock::now()) return;
      self->fail(one, one->too_late);
    });
  }

  void fail(const call_ptr& one, std::string problem) {
    dial_result result;
    result.problem = std::move(problem);
    finish(one, std::move(result));
  }

  void finish(const call_ptr& one, dial_result result) {
    auto done = std::move(one->done);
    let_go(one);
    try {
      // Not at once: what is waiting may fail at once as well, and so on.
      asio::post(io_, [self = shared_from_this()] {
        if (!self->stopped_) self->fill_places();
      });
    } catch (const std::bad_alloc&) { // the end of the next call fills them
    }
    done(std::move(result));
  }

  void let_go(call_ptr one) {
    one->over = true;
    std::erase(waiting_, one);
    one->limit.cancel();
    one->next_attempt.cancel();
    close_attempts(one);
    one->talk.reset();
    error_code ignored;
    if (one->made) one->made->close(ignored);
    if (std::exchange(one->has_place, false)) {
      --places_taken_;
      dialing_descriptors.remove(1);
    }
    calls_.erase(one);
  }

  static void close_attempts(const call_ptr& one) {
    error_code ignored;
    for (const auto& attempt : one->attempts) attempt->close(ignored);
    one->attempts.clear();
  }

  asio::io_context& io_;
  const dialer_options options_;
  std::function<credentials()> mine_;
  resolver_pool& names_;
  std::shared_ptr<way_home> home_;
  std::set<call_ptr> calls_;
  /// Those that are resolved and have no place yet, in the order in which they get one.
  std::deque<call_ptr> waiting_;
  std::size_t places_taken_ = 0;
  bool stopped_ = false;
};

dialer::dialer(asio::io_context& io, dialer_options options, std::function<credentials()> mine,
               resolver_pool::resolve how)
    : names_(resolver_pool::default_threads, resolver_pool::default_idle, std::move(how)), io_(io),
      state_(std::make_shared<state>(io, options, std::move(mine), names_)) {}

dialer::~dialer() { state_->stop(); }

void dialer::dial(std::string host, std::uint16_t port, bool known, taker done) {
  asio::post(io_, [self = state_, host = std::move(host), port, known, done = std::move(done)]() mutable {
    self->begin(std::move(host), port, known, std::move(done));
  });
}

} // namespace troupe::net
