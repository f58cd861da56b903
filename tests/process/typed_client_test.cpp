// A typed client gets correct answers in time while nodes die, freeze and restart.
#include "tests/process/cluster.hpp"
#include "tests/sim/linearizability.hpp"

#include <caf/scoped_actor.hpp>
#include <catch2/catch.hpp>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <iostream>
#include <mutex>
#include <random>
#include <thread>
#include <troupe/client.hpp>
#include <troupe/config.hpp>
#include <troupe/services/map.hpp>

using namespace troupe::testing;
using namespace std::chrono_literals;
using std::chrono::steady_clock;
namespace sim = troupe::sim;
namespace map = troupe::map;

namespace {

constexpr std::size_t workers = 6;
/// How long after its deadline an answer may arrive on a busy machine.
constexpr auto slack = 1500ms;
/// How long a key is used. Few operations on each key keep the search through its history short.
constexpr auto key_for = 1s;

/// Workers that read, put, swap and count through one service actor, each with one request at a time.
class callers {
 public:
  callers(caf::actor_system& system, const troupe::service_actor<troupe::map_service>& service)
      : system_(system), service_(service) {
    for (std::size_t i = 0; i < workers; ++i) threads_.emplace_back([this, i] { work(i); });
  }
  ~callers() { stop(); }
  void stop() {
    stopped_ = true;
    for (auto& thread : threads_)
      if (thread.joinable()) thread.join();
  }
  /// The number of requests that succeeded so far.
  std::size_t done() const { return done_; }

  // Read these after stop().
  std::vector<sim::operation> history;
  std::vector<std::string> late;
  /// The increments of the counter that succeeded, and those with an unknown outcome.
  std::size_t counted = 0;
  std::size_t maybe_counted = 0;
  std::size_t unknown = 0;
  std::size_t rejected = 0;

 private:
  enum class fate { done, rejected, unknown };

  /// Sends a request and records how long the answer took.
  template <class M, class Done> fate ask(caf::scoped_actor& self, M message, milliseconds timeout, Done done) {
    auto what = fate::done;
    const auto asked = steady_clock::now();
    self->request(service_, caf::infinite, troupe::with<M>{std::move(message), timeout})
        .receive([&](const typename M::result& result) { done(result); },
                 [&](const caf::error& e) {
                   const auto info = troupe::describe(e);
                   what = troupe::outcome_of(info.code) == troupe::outcome::rejected ? fate::rejected : fate::unknown;
                 });
    const auto took = std::chrono::duration_cast<milliseconds>(steady_clock::now() - asked);
    const std::lock_guard lock{mutex_};
    if (took > timeout + slack)
      late.push_back(std::string{M::tag} + " with " + std::to_string(timeout.count()) + " ms took " +
                     std::to_string(took.count()) + " ms");
    if (what == fate::done) ++done_;
    if (what == fate::rejected) ++rejected;
    if (what == fate::unknown) ++unknown;
    return what;
  }

  static std::uint64_t number_in(const std::optional<troupe::value>& value) {
    return value ? static_cast<std::uint64_t>(value->as<std::int64_t>().value_or(0)) : 0;
  }
  static troupe::value value_of(std::uint64_t number) { return troupe::value::of(static_cast<std::int64_t>(number)); }
  troupe::raft::duration since_start() const { return steady_clock::now() - start_; }

  void work(std::size_t number) {
    caf::scoped_actor self{system_};
    std::mt19937 random{static_cast<unsigned>(number)};
    std::uint64_t serial = 0;
    while (!stopped_) {
      const milliseconds timeout{std::array{150, 1000, 3000}[random() % 3]};
      if (random() % 4 == 0)
        count(self, timeout);
      else
        use_register(self, random, number * 10'000'000 + ++serial, timeout);
      std::this_thread::sleep_for(milliseconds{random() % 20}); // nap: callers are not always busy
    }
  }

  /// Increments the counter with a read and a compare-and-swap.
  void count(caf::scoped_actor& self, milliseconds timeout) {
    std::uint64_t now = 0;
    if (ask(self, map::get{"c", "counter"}, timeout, [&](const auto& r) { now = number_in(r.value); }) != fate::done)
      return;
    const auto expected = now == 0 ? std::nullopt : std::optional{value_of(now)};
    bool swapped = false;
    const auto what = ask(self, map::compare_and_swap{"c", "counter", expected, value_of(now + 1)}, timeout,
                          [&](const auto& r) { swapped = r.swapped; });
    const std::lock_guard lock{mutex_};
    if (what == fate::unknown) ++maybe_counted;
    if (swapped) ++counted;
  }

  void use_register(caf::scoped_actor& self, std::mt19937& random, std::uint64_t value, milliseconds timeout) {
    sim::operation one;
    one.begin = since_start();
    one.what.key = static_cast<std::uint32_t>(one.begin / key_for) * 2 + static_cast<std::uint32_t>(random() % 2);
    const auto key = std::to_string(one.what.key);
    auto what = fate::done;
    switch (random() % 3) {
    case 0:
      one.what.what = sim::action::read;
      what = ask(self, map::get{"r", key}, timeout, [&](const auto& r) { one.result = {number_in(r.value)}; });
      if (what == fate::unknown) return;
      break;
    case 1:
      one.what.what = sim::action::put;
      one.what.value = value;
      what = ask(self, map::put{"r", key, value_of(value)}, timeout, [&](const auto&) { one.result = {value}; });
      break;
    default:
      one.what.what = sim::action::cas;
      one.what.value = value;
      one.what.expected = seen_[one.what.key % seen_.size()];
      const auto expected = one.what.expected == 0 ? std::nullopt : std::optional{value_of(one.what.expected)};
      what = ask(self, map::compare_and_swap{"r", key, expected, value_of(value)}, timeout,
                 [&](const auto& r) { one.result = {r.swapped ? one.what.expected : number_in(r.current)}; });
    }
    one.end = since_start();
    if (what == fate::rejected) return;
    if (one.result) {
      auto cell = one.result->value;
      seen_[one.what.key % seen_.size()] = (sim::execute(one.what, cell), cell);
    }
    const std::lock_guard lock{mutex_};
    history.push_back(one);
  }

  caf::actor_system& system_;
  const troupe::service_actor<troupe::map_service> service_;
  const steady_clock::time_point start_ = steady_clock::now();
  std::atomic<bool> stopped_ = false;
  std::atomic<std::size_t> done_ = 0;
  /// Values that were seen; swaps expect them, so that some succeed.
  std::array<std::atomic<std::uint64_t>, 16> seen_{};
  std::mutex mutex_;
  std::vector<std::thread> threads_;
};

/// Waits until at least one request that is sent after this call has succeeded.
void wait_for_success(const callers& all, std::size_t more = workers + 1) {
  const auto before = all.done();
  wait_for("success of further requests", 20s, [&] { return all.done() >= before + more; });
}

} // namespace

TEST_CASE("a typed client's requests are linearizable, take effect at most once, and are answered in time") {
  ready_cluster nodes{3};
  troupe::config config;
  caf::actor_system system{config};
  troupe::client_options options;
  for (std::size_t i = 0; i < nodes.size(); ++i)
    options.endpoints.push_back("127.0.0.1:" + std::to_string(nodes[i].raft_port()));
  auto client = troupe::spawn_client(system, options);
  callers all{system, client.service<troupe::map_service>()};
  wait_for_success(all, 50);
  std::vector<double> pauses;
  for (int round = 0; round < 3; ++round) {
    // Kills the leader.
    const auto dead = nodes.wait_ready();
    nodes[dead].process().kill();
    const auto killed = steady_clock::now();
    wait_for_success(all);
    pauses.push_back(std::chrono::duration<double>(steady_clock::now() - killed).count());
    nodes[dead].start();
    // Freezes the leader for longer than an election takes.
    const auto frozen = nodes.wait_ready();
    nodes[frozen].process().signal(SIGSTOP);
    wait_for_success(all);
    nodes[frozen].process().signal(SIGCONT);
    // Restarts a follower in order.
    nodes.wait_ready();
    const auto restarted = nodes.follower();
    nodes[restarted].process().signal(SIGTERM);
    REQUIRE(nodes[restarted].process().wait(15s) == 0);
    nodes[restarted].start();
    nodes.wait_ready();
    wait_for_success(all);
  }
  all.stop();
  CHECK(all.late == std::vector<std::string>{});
  const auto report = sim::check_history(all.history);
  CHECK(report.broken_keys == std::vector<std::uint32_t>{});
  CHECK(report.undecided == 0);
  std::int64_t counter = 0;
  caf::scoped_actor self{system};
  self->request(client.service<troupe::map_service>(), caf::infinite, map::get{"c", "counter"})
      .receive([&](const map::get_result& r) { counter = r.value ? r.value->as<std::int64_t>().value_or(0) : 0; },
               [&](const caf::error& e) { FAIL(troupe::describe(e).message); });
  CHECK(static_cast<std::size_t>(counter) >= all.counted);
  CHECK(static_cast<std::size_t>(counter) <= all.counted + all.maybe_counted);
  CHECK(all.counted > 0);
  std::sort(pauses.begin(), pauses.end());
  std::cout << all.done() << " done, " << all.rejected << " rejected, " << all.unknown << " unknown; "
            << all.history.size() << " in the history; counter " << counter << " of " << all.counted << " + "
            << all.maybe_counted << "; after a leader's death " << workers + 1 << " successes within " << pauses.back()
            << " s at most\n";
}
