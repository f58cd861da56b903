// Makes a discovery actor of a blocking method: the method runs on a thread of its own, and the actor never waits for
// it.
//
//   [waiting] -- the method has found something --> [reporting] -- it found something else, or report_peers --> (again)
//   worker: [running] -- failed --> (pause) --> [running]         the actor ends --> asked to stop --> (gone)
//
// The worker is a detached actor, so that the actor system waits for its thread when it ends, and no other thread does.
#include "actors/protocol/interfaces.hpp"

#include <algorithm>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <troupe/discovery.hpp>
#include <troupe/log.hpp>
#include <troupe/threads.hpp>
#include <utility>

namespace troupe {
namespace {

using loop_handle = compat::handle<void(report_peers), void(flush), void(node_identity), void(timer)>;

/// A method ends by itself only because of a bug or a lack of memory.
constexpr std::chrono::seconds method_retry_delay{1};

/// The method's latest report until the actor takes it. At most one notification is in the actor's mailbox.
class latest_report : public method_listener {
 public:
  explicit latest_report(loop_handle loop) : loop_(std::move(loop)) {}

  void found(std::vector<std::string> addresses) override {
    std::sort(addresses.begin(), addresses.end());
    addresses.erase(std::unique(addresses.begin(), addresses.end()), addresses.end());
    change([&] { addresses_ = std::move(addresses); });
  }
  void problem(const std::string& what) override {
    change([&] { problem_ = what; });
  }
  std::optional<std::vector<std::string>> take_addresses() {
    const std::lock_guard lock{mutex_};
    notified_ = false;
    return std::exchange(addresses_, std::nullopt);
  }
  std::string problem_text() {
    const std::lock_guard lock{mutex_};
    return problem_;
  }

 private:
  template <class Change> void change(const Change& what) {
    const std::lock_guard lock{mutex_};
    what();
    if (!std::exchange(notified_, true)) compat::anon_send(loop_, flush{});
  }

  loop_handle loop_;
  std::mutex mutex_;
  std::optional<std::vector<std::string>> addresses_;
  std::string problem_;
  bool notified_ = false;
};

/// The method's thread.
class worker : public compat::untyped_base {
 public:
  worker(caf::actor_config& config, std::shared_ptr<blocking_method> method, std::stop_token stop,
         std::shared_ptr<latest_report> listener)
      : compat::untyped_base(config), method_(std::move(method)), stop_(std::move(stop)),
        listener_(std::move(listener)) {
    compat::end_on_exceptions(this);
  }
  caf::behavior make_behavior() override {
    method_->run(stop_, *listener_);
    return {};
  }
  const char* name() const override { return "discovery_worker"; }
  void on_end() override {
    method_.reset();
    listener_.reset();
  }

 private:
  std::shared_ptr<blocking_method> method_;
  std::stop_token stop_;
  std::shared_ptr<latest_report> listener_;
};

class blocking_loop : public compat::typed_base<loop_handle> {
 public:
  blocking_loop(caf::actor_config& config, std::string source, std::shared_ptr<blocking_method> method,
                identity_listener self, peers_listener listener)
      : compat::typed_base<loop_handle>(config), source_(std::move(source)), method_(std::move(method)),
        self_(std::move(self)), listener_(std::move(listener)) {
    compat::end_on_exceptions(this);
    set_down_handler(
        [this](const caf::down_msg& m) { retry_later("the method ended: " + to_text(system(), m.reason)); });
  }

  behavior_type make_behavior() override {
    if (self_) send(listener_, watch_identity{identity_watcher{this}});
    start();
    return {
        [this](const report_peers&) { report(); },
        [this](const flush&) { take(); },
        [this](const node_identity& self) {
          if (self_) self_(self);
        },
        [this](const timer&) { start(); },
    };
  }
  const char* name() const override { return "discovery_loop"; }
  void on_end() override {
    stop_.request_stop();
    latest_.reset();
    method_.reset();
    self_ = nullptr;
    listener_ = nullptr;
  }

 private:
  void start() {
    const thread_check check{1};
    if (!check.objection().empty()) return retry_later(check.objection());
    latest_ = std::make_shared<latest_report>(loop_handle{this});
    monitor(spawn<worker, caf::detached>(method_, stop_.get_token(), latest_));
  }
  void retry_later(const std::string& why) {
    log_problem(why);
    delayed_send(this, caf::timespan{method_retry_delay}, timer{});
  }
  void take() {
    auto addresses = latest_->take_addresses();
    log_problem(latest_->problem_text());
    if (!addresses || addresses == known_) return;
    known_ = std::move(addresses);
    report();
  }
  void report() {
    if (known_) send(listener_, peers_changed{source_, *known_});
  }
  /// Logs each problem once.
  void log_problem(const std::string& what) {
    if (std::exchange(logged_problem_, what) == what) return;
    if (what.empty())
      log().info("discovery {}: works again", source_);
    else
      log().warn("discovery {}: {}", source_, what);
  }

  std::string source_;
  std::shared_ptr<blocking_method> method_;
  identity_listener self_;
  peers_listener listener_;
  std::stop_source stop_;
  std::shared_ptr<latest_report> latest_;
  std::optional<std::vector<std::string>> known_;
  std::string logged_problem_;
};

} // namespace

discovery_handle blocking_source::spawn(caf::actor_system& system, peers_listener listener) {
  if (!method_) throw std::logic_error("the discovery source " + name_ + " was started before: make another one");
  return caf::actor_cast<discovery_handle>(
      system.spawn<blocking_loop>(name_, std::move(method_), std::exchange(self_, nullptr), std::move(listener)));
}

} // namespace troupe
