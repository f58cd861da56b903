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

/// Delay between the starts of the attempts at the addresses of one name (RFC 8305: connection attempt delay).
constexpr std::chrono::milliseconds attempt_delay{150};

/// One dial. Owned by the dialer's state and by the dial's pending handlers.
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
  /// Connection attempts that are in progress.
  std::vector<std::shared_ptr<descriptor>> attempts;
  /// The first attempt that succeeded, and its opening.
  std::shared_ptr<descriptor> made;
  std::unique_ptr<opening> talk;
  /// Time limit of the current phase, and the problem to report when it passes.
  asio::steady_timer limit;
  std::string too_late;
  asio::steady_timer next_attempt;
  std::string problem = "no address";
  bool has_slot = false;
  bool over = false;
};

using call_ptr = std::shared_ptr<call>;

/// Lets resolver threads post to the io_context for as long as the dialer exists.
struct io_poster {
  explicit io_poster(asio::io_context& to) : io(&to) {}
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
      : io_(io), options_(options), mine_(std::move(mine)), names_(names), poster_(std::make_shared<io_poster>(io)) {}

  void stop() {
    stopped_ = true;
    poster_->close();
    waiting_.clear();
    while (!calls_.empty()) discard(*calls_.begin());
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
  /// An error in a step of a call, including a lack of memory or descriptors, ends only that call.
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
    const auto on_resolved = [poster = poster_, self = weak_from_this(),
                              to = std::weak_ptr(one)](const resolution& found) {
      poster->post([self, to, found] {
        const auto here = self.lock();
        const auto waits = to.lock();
        if (here && waits && !waits->over) here->contained(waits, [&] { here->resolved(waits, found); });
      });
    };
    names_.ask(one->host, one->port, on_resolved);
  }

  void resolved(const call_ptr& one, const resolution& found) {
    if (!found.found) return fail(one, found.problem);
    one->where = found.found;
    one->next = one->where->first();
    limit(one, options_.waiting, "too many addresses are being dialed");
    // Known addresses wait in front of unknown ones, each kind in order of arrival.
    const auto behind = [&](const call_ptr& other) { return one->known && !other->known; };
    waiting_.insert(std::find_if(waiting_.begin(), waiting_.end(), behind), one);
    fill_slots();
  }

  /// A dialer may always have one slot, so it never waits for the calls of another dialer to end.
  bool has_free_slot() const {
    return slots_taken_ == 0 ||
           (slots_taken_ < options_.max_at_once && dialing_descriptors.held() < options_.max_of_process);
  }

  void fill_slots() {
    while (has_free_slot() && !waiting_.empty()) {
      const auto one = waiting_.front();
      waiting_.pop_front();
      ++slots_taken_;
      dialing_descriptors.add(1);
      one->has_slot = true;
      contained(one, [&] {
        limit(one, options_.deadline, "connecting timed out");
        try_next(one);
      });
    }
  }

  /// Begins an attempt at the next address, and schedules the one after it.
  void try_next(const call_ptr& one) {
    while (one->next && !one->made) {
      const auto& to = *std::exchange(one->next, one->next->ai_next);
      try {
        if (begin_attempt(one, to)) return;
      } catch (const std::exception& e) { // no memory, or the system cannot watch another socket
        one->problem = e.what();
      }
    }
    if (one->attempts.empty() && !one->over && !one->made) fail(one, one->problem);
  }

  /// Returns false if no attempt began; the call's problem then says why.
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
    fd.release(); // `attempt` owns it now
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
    if (one->attempts.empty()) try_next(one); // no attempt is left that the delay would give time to
  }

  /// The connection is made, so any exception from here on ends the call.
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
      // A timer that had already expired when the next phase began is not affected by cancel.
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
    discard(one);
    try {
      // Posted, not called: waiting calls may fail at once too, which would recurse.
      asio::post(io_, [self = shared_from_this()] {
        if (!self->stopped_) self->fill_slots();
      });
    } catch (const std::bad_alloc&) { // the end of the next call fills the slots
    }
    done(std::move(result));
  }

  void discard(call_ptr one) {
    one->over = true;
    std::erase(waiting_, one);
    one->limit.cancel();
    one->next_attempt.cancel();
    close_attempts(one);
    one->talk.reset();
    error_code ignored;
    if (one->made) one->made->close(ignored);
    if (std::exchange(one->has_slot, false)) {
      --slots_taken_;
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
  std::shared_ptr<io_poster> poster_;
  std::set<call_ptr> calls_;
  /// Calls that are resolved and wait for a slot, in the order in which they get one.
  std::deque<call_ptr> waiting_;
  std::size_t slots_taken_ = 0;
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
