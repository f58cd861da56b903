#include "runtime/transport/transport.hpp"

#include "runtime/descriptor_budget.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <atomic>
#include <future>
#include <thread>
#include <utility>

namespace troupe::net {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using std::chrono::steady_clock;

/// How often the TLS files are looked at.
constexpr std::chrono::seconds files_pace{2};
/// The transport's thread gives way to those that serve: a crowd at the door waits.
constexpr int nice_step = 5;

/// Leaves descriptors for the rest of the process, the log above all.
transport_options within_file_limit(transport_options options) {
  const auto shares = descriptor_shares();
  options.gate.max_connections = std::min(options.gate.max_connections, shares.transport_connections);
  options.gate.max_openings = std::min(options.gate.max_openings, shares.transport_openings);
  // Dials are few and short next to what a crowd at the port may take.
  options.max_dials_at_once =
      std::max<std::size_t>(1, std::min(options.max_dials_at_once, shares.transport_openings / 2));
  return options;
}

/// With what the options leave to the actor system.
transport_options completed(transport_options options, std::shared_ptr<const realm>& of) {
  options = within_file_limit(std::move(options));
  const bool shared = options.system != nullptr;
  if (!shared) options.system = std::make_shared<system_network>(options.limits, options.warn);
  of = options.system->realm_of(options.files);
  if (shared) options.guard.receivers = of->receivers;
  return options;
}

/// Watches one connection for as long as its channel lives.
class watcher : public channel_watcher {
 public:
  watcher(std::shared_ptr<lifeline> life, std::shared_ptr<system_network> system)
      : life_(std::move(life)), system_(std::move(system)) {}
  ~watcher() override {
    life_->end();
    system_->claims.release(life_);
  }
  void heard() override { life_->heard(); }
  void introduced() override { life_->introduced(); }
  void dropped() override {
    system_->incidents.note(incident::message_dropped);
    system_->drops.note("left out a message of " + life_->peer() + " that nobody waits for");
  }
  bool takes(std::ptrdiff_t bytes) override { return system_->take(bytes); }
  void held_back() override { system_->incidents.note(incident::held_back); }
  claim_outcome claims(std::string_view node) override {
    return system_->claims.claim(node, life_, steady_clock::now());
  }
  void violated(incident kind, const std::string& problem) override {
    // CAF takes a while to let go of it, and whoever is to come next is not to wait for that.
    system_->claims.release(life_);
    system_->incidents.note(kind);
    system_->violations.note("closed a connection of " + life_->peer() + ": " + problem);
  }

 private:
  std::shared_ptr<lifeline> life_;
  std::shared_ptr<system_network> system_;
};

} // namespace

class transport::core : public gate_owner {
 public:
  explicit core(transport_options options)
      : options_(completed(std::move(options), realm_)), guard_(std::make_shared<const guard_options>(options_.guard)),
        keeper_(options_.files), system_(options_.system), refusals_(options_.warn), work_(io_.get_executor()),
        watch_(io_), files_(io_) {
    wait_to_watch();
    if (options_.files.tls) {
      keeper_.look(steady_clock::now(), options_.warn);
      wait_for_files();
    }
    thread_ = std::thread([this] {
      ::setpriority(PRIO_PROCESS, 0, nice_step); // on Linux, of this thread
      io_.run();
    });
  }

  ~core() override {
    stop_listening();
    // Not by cancelling the timers: one that is due already would take no notice, and be set anew.
    io_.stop();
    thread_.join();
  }

  const transport_options& options() const noexcept { return options_; }

  void dial(const std::string& host, std::uint16_t port, bool known, std::function<void(dialed_connection)> done) {
    dialer_.dial(host, port, known, [this, done = std::move(done)](dial_result result) {
      dialed_connection outcome;
      outcome.problem = std::move(result.problem);
      if (result.stream) {
        system_->incidents.note(incident::dialed);
        outcome.made.emplace(
            guarded(side::dialed, std::move(result.socket), std::move(result.stream), std::move(result.peer)));
      }
      done(std::move(outcome));
    });
  }

  std::uint16_t listen(const std::string& address, std::uint16_t port) {
    keeper_.begin_to_accept();
    auto listening = listen_at(address, port);
    const auto actual = port_of(listening.get());
    on_io([&] { listening_ = std::move(listening); });
    return actual;
  }

  void accept(std::function<void(open_connection)> taker) {
    on_io([&] {
      taker_ = std::move(taker);
      gate_ = std::make_unique<gate>(io_, options_.gate, *this, std::move(listening_));
    });
  }

  void hang_up(std::string_view node, const std::string& why) {
    if (!system_->claims.cut(node)) return;
    system_->incidents.note(incident::cut_silent);
    system_->cuts.note("cut the connection with a node: " + why);
  }

  transport_status status() const {
    return {system_->incidents.all(), system_->dog.open({}).all, keeper_.certificate_end()};
  }

  void stop_listening() {
    on_io([this] {
      gate_.reset();
      taker_ = nullptr;
      listening_ = socket_guard{};
    });
  }

 private:
  /// Runs it on the transport's thread, and waits for that.
  template <class F> void on_io(F&& what) {
    std::promise<void> done;
    asio::post(io_, [&] {
      try {
        what();
        done.set_value();
      } catch (...) {
        done.set_exception(std::current_exception());
      }
    });
    done.get_future().get();
  }

  open_connection guarded(side here, socket_guard socket, std::unique_ptr<channel> raw, std::string peer) {
    auto life = std::make_shared<lifeline>(socket.get(), std::move(peer), options_.silence_limit, realm_);
    system_->dog.add(life);
    auto watch = std::make_shared<watcher>(life, system_);
    auto stream = std::make_unique<guarded_channel>(std::move(raw), here, guard_, watch);
    auto meter =
        std::make_shared<flow_meter>(system_->flow, [receivers = options_.guard.receivers](const flow_token& token) {
          if (receivers) receivers->send(token);
        });
    return {std::move(socket), std::move(stream), std::move(life), std::move(watch), std::move(meter)};
  }

  void wait_to_watch() {
    watch_.expires_after(watchdog::pace);
    watch_.async_wait([this](error_code cancelled) {
      if (cancelled) return;
      for (const auto& [peer, why] : system_->dog.look(steady_clock::now())) {
        system_->incidents.note(why);
        system_->cuts.note(
            "cut a connection with " + peer +
            (why == incident::cut_silent ? ": nothing was heard of it" : ": it did not introduce itself"));
      }
      wait_to_watch();
    });
  }

  void wait_for_files() {
    files_.expires_after(files_pace);
    files_.async_wait([this](error_code cancelled) {
      if (cancelled) return;
      keeper_.look(steady_clock::now(), options_.warn);
      wait_for_files();
    });
  }

  credentials current_credentials() override { return keeper_.current(); }
  std::pair<std::size_t, std::size_t> open_connections(const std::string& network) override {
    const auto open = system_->dog.open(network);
    return {open.all, open.of_network};
  }
  void passed(socket_guard socket, std::unique_ptr<channel> stream, const std::string& peer) override {
    system_->incidents.note(incident::accepted);
    try {
      if (taker_) taker_(guarded(side::accepted, std::move(socket), std::move(stream), peer));
    } catch (const std::exception& e) {
      refused(peer, incident::opening_failed, e.what());
    }
  }
  void refused(const std::string& peer, incident kind, const std::string& why) override {
    system_->incidents.note(kind);
    refusals_.note("turned away a connection of " + peer + ": " + why);
  }

  std::shared_ptr<const realm> realm_;
  const transport_options options_;
  std::shared_ptr<const guard_options> guard_;
  credentials_keeper keeper_;
  std::shared_ptr<system_network> system_;
  complaints refusals_;
  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  asio::steady_timer watch_;
  asio::steady_timer files_;
  /// Until the gate has it.
  socket_guard listening_;
  std::function<void(open_connection)> taker_;
  std::unique_ptr<gate> gate_;
  dialer dialer_{io_,
                 {.deadline = options_.dial_deadline,
                  .resolving = options_.resolve_deadline,
                  .max_at_once = options_.max_dials_at_once},
                 [this] { return keeper_.current(); }};
  std::thread thread_;
};

transport::transport(transport_options options) : core_(std::make_unique<core>(std::move(options))) {}
transport::~transport() = default;
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
void transport::hang_up(std::string_view node, const std::string& why) { core_->hang_up(node, why); }
transport_status transport::status() const { return core_->status(); }

} // namespace troupe::net
