#include "runtime/transport/transport.hpp"

#include "runtime/os/descriptor_budget.hpp"
#include "runtime/transport/credentials_watch.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>
#include <thread>
#include <troupe/process.hpp>
#include <utility>

namespace troupe::net {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using std::chrono::steady_clock;

/// The transport's thread never blocks for long. If it does, others stop waiting for it after this.
constexpr std::chrono::seconds patience{2};
/// The transport's thread yields to the threads that serve, so that a flood of new connections waits.
constexpr int nice_step = 5;
/// Number of running threads of transports that have ended.
std::atomic<int> left_threads = 0;

/// Limits the descriptors in use, so that enough are left for the rest of the process, above all the log.
transport_options within_file_limit(transport_options options) {
  const auto shares = descriptor_shares();
  options.acceptor.max_connections = std::min(options.acceptor.max_connections, shares.transport_connections);
  options.acceptor.max_openings = std::min(options.acceptor.max_openings, shares.transport_openings);
  options.acceptor.max_openings_of_process =
      std::min(options.acceptor.max_openings_of_process, shares.transport_openings);
  // Dials are few and short compared to a flood of incoming connections.
  const auto dials = std::max<std::size_t>(1, shares.transport_openings / 2);
  options.max_dials_of_process = std::min(options.max_dials_of_process, dials);
  options.max_dials_at_once = std::min(options.max_dials_at_once, dials);
  return options;
}

/// Fills in the options that depend on the actor system.
transport_options completed(transport_options options, std::shared_ptr<const realm>& of) {
  options = within_file_limit(std::move(options));
  const bool shared = options.system != nullptr;
  if (!shared) options.system = std::make_shared<system_network>(options.limits, options.warn);
  of = options.system->realm_of(options.files, options.dials);
  if (shared) options.guard.receivers = of->receivers;
  return options;
}

/// Watches one connection for as long as its channel lives.
class watcher : public channel_watcher {
 public:
  watcher(std::shared_ptr<connection_liveness> liveness, std::shared_ptr<system_network> system)
      : liveness_(std::move(liveness)), system_(std::move(system)) {}
  ~watcher() override {
    liveness_->end();
    system_->node_ids.release(liveness_);
  }
  void heard() override { liveness_->heard(); }
  void introduced() override { liveness_->introduced(); }
  void dropped() override {
    system_->incidents.note(incident::message_dropped);
    system_->drops.note("dropped a message from " + liveness_->peer() + ": no actor here expects it");
  }
  bool takes(std::ptrdiff_t bytes) override { return system_->take(bytes); }
  void held_back() override { system_->incidents.note(incident::held_back); }
  claim_outcome claim_node(std::string_view node) override {
    return system_->node_ids.claim(node, liveness_, steady_clock::now());
  }
  void violated(incident kind, const std::string& problem) override {
    // CAF takes a while to release the connection. The next connection must not wait for that.
    system_->node_ids.release(liveness_);
    system_->incidents.note(kind);
    system_->violations.note("closed the connection with " + liveness_->peer() + ": " + problem);
  }

 private:
  std::shared_ptr<connection_liveness> liveness_;
  std::shared_ptr<system_network> system_;
};

} // namespace

class transport::core : public acceptor_owner {
 public:
  using connection_taker = std::function<void(open_connection)>;

  explicit core(transport_options options)
      : options_(completed(std::move(options), realm_)), guard_(std::make_shared<const guard_options>(options_.guard)),
        keeper_(std::make_shared<credentials_keeper>(options_.files)), system_(options_.system),
        refusals_(options_.warn), work_(io_.get_executor()), watch_(io_) {
    wait_to_watch();
    if (options_.files.tls) {
      keeper_->poll(steady_clock::now(), options_.warn);
      files_.emplace(
          [keeper = keeper_](const credentials_watch::listener& warn) { keeper->poll(steady_clock::now(), warn); },
          options_.warn);
    }
    thread_ = std::thread([this, shared = thread_state_] {
      ::setpriority(PRIO_PROCESS, 0, nice_step); // on Linux this applies to the thread
      run();
      const std::lock_guard lock(shared->mutex);
      shared->thread_ended = true;
      shared->changed.notify_all();
      if (!shared->left) return;
      shared->left.reset();
      --left_threads;
    });
  }

  /// Ends the transport, on the thread that released the last reference. That may be the transport's own thread, which
  /// cannot wait for itself: it then frees everything when it has finished its current work. A thread that hangs does
  /// the same later.
  static void end(std::unique_ptr<core> it) {
    it->stop_listening();
    it->keeper_->end();
    // Cancelling the timers is not enough: one that has already expired would not be cancelled, and would be set again.
    it->io_.stop();
    const auto shared = it->thread_state_;
    std::unique_lock lock(shared->mutex);
    if (it->is_own_thread() || !shared->changed.wait_for(lock, patience, [&] { return shared->thread_ended; })) {
      it->thread_.detach();
      it->files_.reset();
      shared->left = std::move(it);
      ++left_threads;
      return;
    }
    lock.unlock();
    it->thread_.join();
  }

  const transport_options& options() const noexcept { return options_; }

  void dial(const std::string& host, std::uint16_t port, bool known, std::function<void(dialed_connection)> done) {
    dialer_.dial(host, port, known, [this, done = std::move(done)](dial_result result) {
      dialed_connection outcome;
      outcome.problem = std::move(result.problem);
      try {
        if (result.stream)
          outcome.made.emplace(
              guarded(side::dialed, std::move(result.socket), std::move(result.stream), std::move(result.peer)));
      } catch (const std::exception& e) {
        outcome.problem = e.what();
      }
      if (outcome.made) system_->incidents.note(incident::dialed);
      done(std::move(outcome));
    });
  }

  std::uint16_t listen(const std::string& address, std::uint16_t port) {
    keeper_->begin_to_accept();
    auto listening = listen_at(address, port, options_.dials == dial_policy::this_machine);
    const auto actual = port_of(listening.get());
    on_io([this, listening = std::make_shared<socket_guard>(std::move(listening))] {
      listening_ = std::move(*listening);
    });
    return actual;
  }

  void accept(connection_taker taker) {
    on_io([this, taker = std::make_shared<const connection_taker>(std::move(taker))] {
      const std::lock_guard lock(taking_);
      taker_ = taker;
      acceptor_ = std::make_unique<acceptor>(io_, options_.acceptor, *this, std::move(listening_));
    });
  }

  void disconnect(std::string_view node, const std::string& why) {
    if (!system_->node_ids.cut(node)) return;
    system_->incidents.note(incident::cut_silent);
    system_->cuts.note("cut the connection with a node: " + why);
  }

  transport_status status() const {
    return {system_->incidents.all(), system_->connection_watchdog.open({}).all, keeper_->certificate_end()};
  }

  void stop_listening() {
    std::shared_ptr<const connection_taker> taker;
    {
      // From here on no connection is passed on, whatever the thread is doing.
      const std::lock_guard lock(taking_);
      taker.swap(taker_);
    }
    // Without the lock: the taker may own the last reference to another transport, or call this one.
    taker = nullptr;
    try {
      on_io([this] {
        acceptor_.reset();
        listening_ = socket_guard{};
      });
    } catch (const std::exception&) { // the port closes with the rest; a log line might hang as well
    }
  }

 private:
  /// Shared with the thread, which may outlive the transport and then owns its core.
  struct thread_state {
    std::mutex mutex;
    std::condition_variable changed;
    bool thread_ended = false;
    std::unique_ptr<core> left;
  };

  bool is_own_thread() const noexcept { return std::this_thread::get_id() == thread_.get_id(); }

  /// Keeps running after an exception, so that an error of one connection does not end the others.
  void run() {
    while (true) {
      try {
        io_.run();
        return;
      } catch (const std::exception& e) {
        log_error(e.what());
      }
    }
  }

  void log_error(const char* what) noexcept {
    try {
      refusals_.note(std::string{"the network thread continues after an error: "} + what);
    } catch (const std::exception&) { // no memory for the log line
    }
  }

  /// Runs `what` on the transport's thread, and waits for it for a limited time. `what` must own everything that it
  /// uses, because it may run later. Throws std::runtime_error if it takes too long.
  template <class F> void on_io(F what) {
    if (is_own_thread()) return what();
    const auto done = std::make_shared<std::promise<void>>();
    auto outcome = done->get_future();
    asio::post(io_, [what = std::move(what), done]() mutable {
      try {
        what();
        done->set_value();
      } catch (...) {
        done->set_exception(std::current_exception());
      }
    });
    if (outcome.wait_for(patience) != std::future_status::ready)
      throw std::runtime_error("the network's thread does not answer");
    outcome.get();
  }

  open_connection guarded(side here, socket_guard socket, std::unique_ptr<channel> raw, std::string peer) {
    auto liveness =
        std::make_shared<connection_liveness>(socket.get(), std::move(peer), options_.silence_limit, realm_);
    // First, because the watcher's end also ends the liveness: the watchdog must not cut a descriptor that is already
    // closed.
    auto watch = std::make_shared<watcher>(liveness, system_);
    system_->connection_watchdog.add(liveness);
    auto stream = std::make_unique<guarded_channel>(std::move(raw), here, guard_, watch);
    auto meter =
        std::make_shared<flow_meter>(system_->flow, [receivers = options_.guard.receivers](const flow_token& token) {
          if (receivers) receivers->send(token);
        });
    return {std::move(socket), std::move(stream), std::move(liveness), std::move(watch), std::move(meter)};
  }

  void wait_to_watch() {
    watch_.expires_after(watchdog::pace);
    watch_.async_wait([this](error_code cancelled) {
      if (cancelled) return;
      wait_to_watch(); // first, so that an exception below does not end the watchdog
      for (const auto& [peer, why] : system_->connection_watchdog.poll(steady_clock::now())) {
        system_->incidents.note(why);
        system_->cuts.note(
            "cut the connection with " + peer +
            (why == incident::cut_silent ? ": it was silent for too long" : ": it did not introduce itself in time"));
      }
    });
  }

  credentials current_credentials() override { return keeper_->current(); }
  std::pair<std::size_t, std::size_t> open_connections(const std::string& network) override {
    const auto open = system_->connection_watchdog.open(network);
    return {open.all, open.of_network};
  }
  void passed(socket_guard socket, std::unique_ptr<channel> stream, const std::string& peer) override {
    system_->incidents.note(incident::accepted);
    try {
      const std::lock_guard lock(taking_);
      if (const auto taker = taker_) (*taker)(guarded(side::accepted, std::move(socket), std::move(stream), peer));
    } catch (const std::exception& e) {
      refused(peer, incident::opening_failed, e.what());
    }
  }
  void refused(const std::string& peer, incident kind, const std::string& why) override {
    system_->incidents.note(kind);
    refusals_.note("refused a connection from " + peer + ": " + why);
  }

  std::shared_ptr<const realm> realm_;
  const transport_options options_;
  std::shared_ptr<const guard_options> guard_;
  /// Shared with the thread that reads the files.
  std::shared_ptr<credentials_keeper> keeper_;
  std::shared_ptr<system_network> system_;
  rate_limited_log refusals_;
  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  asio::steady_timer watch_;
  std::optional<credentials_watch> files_;
  /// Owned until the acceptor gets it.
  socket_guard listening_;
  /// Held while the taker is called. Recursive because the taker may stop or end the transport.
  std::recursive_mutex taking_;
  std::shared_ptr<const connection_taker> taker_;
  std::unique_ptr<acceptor> acceptor_;
  dialer dialer_{io_,
                 {.deadline = options_.dial_deadline,
                  .resolving = options_.resolve_deadline,
                  .max_at_once = options_.max_dials_at_once,
                  .max_of_process = options_.max_dials_of_process,
                  .where = options_.dials},
                 [this] { return keeper_->current(); }};
  const std::shared_ptr<thread_state> thread_state_ = std::make_shared<thread_state>();
  std::thread thread_;
};

transport::transport(transport_options options) : core_(std::make_unique<core>(std::move(options))) {}
transport::~transport() { core::end(std::move(core_)); }
const transport_options& transport::options() const noexcept { return core_->options(); }
void transport::dial(const std::string& host, std::uint16_t port, bool known,
                     std::function<void(dialed_connection)> done) {
  core_->dial(host, port, known, std::move(done));
}

open_connection transport::dial(const std::string& host, std::uint16_t port) {
  const auto promise = std::make_shared<std::promise<dialed_connection>>();
  dial(host, port, true, [promise](dialed_connection outcome) { promise->set_value(std::move(outcome)); });
  auto outcome = promise->get_future().get();
  if (!outcome.made) throw std::runtime_error(outcome.problem);
  return std::move(*outcome.made);
}

std::uint16_t transport::listen(const std::string& address, std::uint16_t port) { return core_->listen(address, port); }
void transport::accept(std::function<void(open_connection)> taker) { core_->accept(std::move(taker)); }
void transport::stop_listening() { core_->stop_listening(); }
void transport::disconnect(std::string_view node, const std::string& why) { core_->disconnect(node, why); }
transport_status transport::status() const { return core_->status(); }

} // namespace troupe::net

bool troupe::threads_are_left() noexcept {
  return net::left_threads > 0 || net::credentials_watch::running_polls() > 0;
}
