// Dials many addresses from one thread: some answer, some refuse, some drop everything, and some names hang.
#include "runtime/transport/dialer.hpp"

#include "tests/unit/transport/black_hole.hpp"
#include "tests/unit/transport/loopback.hpp"
#include "tests/unit/transport/test_heap.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <catch2/catch.hpp>

#include <atomic>
#include <filesystem>
#include <future>
#include <mutex>
#include <semaphore>
#include <thread>
#include <vector>

using namespace troupe::net;
using namespace troupe::net::testing;
using namespace std::chrono_literals;
using Catch::Contains;

namespace {

std::size_t threads_of_this_process() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& one : std::filesystem::directory_iterator{"/proc/self/task"}) ++count;
  return count;
}

std::size_t sockets_of_this_process() {
  std::size_t count = 0;
  for (const auto& one : std::filesystem::directory_iterator{"/proc/self/fd"}) {
    std::error_code gone;
    count += std::filesystem::read_symlink(one, gone).string().starts_with("socket:");
  }
  return count;
}

/// A dialer and the thread on which it runs.
struct dialing {
  explicit dialing(dialer_options options = {}, resolver_pool::resolve how = {}) {
    lines.emplace(
        io, options, [] { return credentials{}; }, std::move(how));
    thread = std::thread([this] { io.run(); });
  }
  ~dialing() {
    io.stop();
    thread.join();
    lines.reset();
  }
  std::future<std::string> dial(const std::string& host, std::uint16_t port, bool known = false) {
    const auto outcome = std::make_shared<std::promise<std::string>>();
    lines->dial(host, port, known,
                [outcome](dial_result result) { outcome->set_value(result.stream ? "made" : result.problem); });
    return outcome->get_future();
  }

  boost::asio::io_context io{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{io.get_executor()};
  std::optional<dialer> lines;
  std::thread thread;
};

/// Performs the openings of all connections that arrive.
struct greeter {
  greeter() : listening(listen_at("127.0.0.1", 0)), port(port_of(listening.get())) {
    thread = std::thread([this] {
      while (!ended) {
        if (!wait_readable(listening.get(), std::chrono::steady_clock::now() + 10ms)) continue;
        guests.emplace_back(::accept4(listening.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
        opening talk{side::accepted, guests.back().get(), {}};
        try {
          talk.finish(std::chrono::steady_clock::now() + 10s);
        } catch (const opening_error&) { // the tests check the dialing end
        }
      }
    });
  }
  ~greeter() {
    ended = true;
    thread.join();
  }
  socket_guard listening;
  std::uint16_t port;
  std::vector<socket_guard> guests;
  std::atomic<bool> ended = false;
  std::thread thread;
};

std::string outcome(std::future<std::string> of, std::chrono::seconds patience = 20s) {
  return of.wait_for(patience) == std::future_status::ready ? of.get() : "nothing";
}

std::uint16_t port_where_nobody_listens() { return port_of(listen_at("127.0.0.1", 0).get()); }

/// While `held` is locked, resolving a name blocks. Shared with the resolver threads, which may outlive a test.
struct hanging_names {
  std::mutex held;
  std::atomic<std::size_t> asked = 0;
};

resolver_pool::resolve resolving(const std::shared_ptr<hanging_names>& names) {
  return [names](const std::string& host, std::uint16_t port) -> resolved_host {
    ++names->asked;
    if (host == "good.test") return {"127.0.0.1", port};
    const std::lock_guard wait(names->held);
    throw socket_error("cannot resolve " + host);
  };
}

} // namespace

TEST_CASE("a thousand addresses that refuse need no thread and only a few sockets at a time") {
  const auto port = port_where_nobody_listens();
  dialing one;
  const auto threads = threads_of_this_process();
  std::vector<std::future<std::string>> all;
  for (int i = 0; i < 1000; ++i)
    all.push_back(one.dial("127.1." + std::to_string(i / 250) + "." + std::to_string(i % 250 + 1), port));
  CHECK(threads_of_this_process() == threads);
  for (auto& each : all) CHECK(outcome(std::move(each)) == "Connection refused");
  CHECK(threads_of_this_process() == threads);
}

TEST_CASE("limits the connections made at the same time, and known addresses go first") {
  const greeter good;
  const black_hole bad{"127.0.0.2", good.port};
  dialing one{{.deadline = 400ms, .max_at_once = 4}};
  const auto sockets = sockets_of_this_process();
  std::vector<std::future<std::string>> holes;
  for (int i = 0; i < 12; ++i) holes.push_back(one.dial("127.0.0.2", good.port));
  const auto late = one.dial("127.0.0.1", good.port, false).share();
  auto known = one.dial("127.0.0.1", good.port, true);
  CHECK(outcome(std::move(known)) == "made");
  CHECK(sockets_of_this_process() <= sockets + 4 + 2); // the concurrent ones, and both ends of the one that succeeded
  CHECK(late.wait_for(0s) == std::future_status::timeout); // eight dials that hang are before it
  CHECK(late.get() == "made");
  for (auto& each : holes) CHECK(outcome(std::move(each)) == "connecting timed out");
  // A dial that waits too long for a slot fails with that reason.
  dialing busy{{.deadline = 10s, .waiting = 50ms, .max_at_once = 1}};
  auto stuck = busy.dial("127.0.0.2", good.port);
  CHECK(outcome(busy.dial("127.0.0.1", good.port)) == "too many addresses are being dialed");
  CHECK(stuck.wait_for(0s) == std::future_status::timeout);
}

TEST_CASE("the dialers of a process share a limit, and each makes progress") {
  const greeter good;
  const black_hole bad{"127.0.0.2", good.port};
  const dialer_options options{.deadline = 400ms, .max_of_process = 4};
  dialing first{options};
  dialing second{options};
  const auto sockets = sockets_of_this_process();
  std::vector<std::future<std::string>> holes;
  for (int i = 0; i < 6; ++i) holes.push_back(first.dial("127.0.0.2", good.port));
  for (int i = 0; i < 6; ++i) holes.push_back(second.dial("127.0.0.2", good.port));
  CHECK(outcome(second.dial("127.0.0.1", good.port, true)) == "made");
  CHECK(sockets_of_this_process() <= sockets + 5 + 2); // the concurrent ones, and both ends of the one that succeeded
  CHECK(troupe::dialing_descriptors.held() <= 5);
  for (auto& each : holes) CHECK_FALSE(outcome(std::move(each)).empty());
}

TEST_CASE("a resolver that hangs delays a few threads and names, but no address") {
  const auto names = std::make_shared<hanging_names>();
  const greeter good;
  const std::unique_lock hang(names->held);
  dialing one{{.resolving = 100ms}, resolving(names)}; // it ends although its resolver hangs
  const auto threads = threads_of_this_process();
  std::vector<std::future<std::string>> all;
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 50; ++i) all.push_back(one.dial("slow" + std::to_string(i) + ".test", 1));
    CHECK(outcome(one.dial("127.0.0.1", good.port)) == "made");
  }
  for (auto& each : all) CHECK_THAT(outcome(std::move(each)), Contains("timed out"));
  CHECK(threads_of_this_process() <= threads + resolver_pool::default_threads);
  CHECK(names->asked == resolver_pool::default_threads); // each name holds one thread, however often it is dialed
}

TEST_CASE("a late result of a resolver serves the next dial; idle threads end") {
  std::binary_semaphore asked{0};
  std::binary_semaphore found{0};
  resolver_pool pool{2, 20ms, [&](const std::string&, std::uint16_t port) {
                       asked.release();
                       found.acquire();
                       return resolved_host{"127.0.0.1", port};
                     }};
  std::promise<std::string> first;
  std::promise<std::string> second;
  pool.ask("late.test", 5, [&](const resolution& r) { first.set_value(r.found ? "found" : r.problem); });
  asked.acquire();
  pool.ask("late.test", 5, [&](const resolution& r) { second.set_value(r.found ? "found" : r.problem); });
  CHECK(pool.threads() == 1);
  found.release();
  CHECK(outcome(first.get_future()) == "found");
  CHECK(outcome(second.get_future()) == "found");
  const auto limit = std::chrono::steady_clock::now() + 10s;
  while (pool.threads() > 0 && std::chrono::steady_clock::now() < limit) std::this_thread::yield();
  CHECK(pool.threads() == 0);
}

TEST_CASE("resolves and connects to a name; reports what is wrong with it") {
  const greeter good;
  dialing one{{}, resolving(std::make_shared<hanging_names>())};
  CHECK(outcome(one.dial("good.test", good.port)) == "made");
  CHECK(outcome(one.dial("bad.test", good.port)) == "cannot resolve bad.test");
  CHECK(outcome(one.dial("::1", port_where_nobody_listens())) == "Connection refused");
  const auto mute = listen_at("127.0.0.1", 0);
  dialing quick{{.deadline = 100ms}};
  CHECK_THAT(outcome(quick.dial("127.0.0.1", port_of(mute.get()))), Contains("does not answer in time"));
}

TEST_CASE("a dialer that ends drops and closes its pending connections") {
  const auto mute = listen_at("127.0.0.1", 0);
  std::future<std::string> open;
  {
    dialing one;
    open = one.dial("127.0.0.1", port_of(mute.get()));
    REQUIRE(wait_readable(mute.get(), std::chrono::steady_clock::now() + 10s));
  }
  const socket_guard guest{::accept(mute.get(), nullptr, nullptr)};
  while (!await_bytes(guest.get()).empty()) { // its hello, and the end of the stream
  }
  CHECK_THROWS_AS(open.get(), std::future_error);
}

TEST_CASE("whichever allocation fails, the dial gets an outcome, and the dialer's state stays intact") {
  const greeter good;
  dialing one{{.deadline = 2s, .max_at_once = 1}};
  std::size_t failures = 0;
  for (std::size_t failing = 1;; ++failing) {
    CAPTURE(failing);
    std::promise<std::pair<std::string, bool>> answered;
    boost::asio::post(one.io, [&] { failing_allocation() = failing; });
    one.lines->dial("127.0.0.1", good.port, false, [&](dial_result result) {
      const bool failed = std::exchange(failing_allocation(), 0) == 0;
      answered.set_value({result.stream ? "made" : result.problem, failed});
    });
    auto answer = answered.get_future();
    REQUIRE(answer.wait_for(10s) == std::future_status::ready);
    const auto [text, failed] = answer.get();
    if (!failed) {
      CHECK(text == "made");
      break;
    }
    ++failures;
    CHECK(outcome(one.dial("127.0.0.1", good.port)) == "made");
  }
  CHECK(failures > 3);
}

TEST_CASE("whichever allocation fails during a name request, the next request gets an answer") {
  std::size_t failures = 0;
  for (std::size_t failing = 1;; ++failing) {
    CAPTURE(failing);
    // A name that is too long for the string's own buffer.
    const std::string name = "a.name.that.is.too.long.for.a.short.string.test";
    std::promise<std::string> answered;
    resolver_pool pool{1, 10s, [](const std::string&, std::uint16_t port) { return resolved_host{"127.0.0.1", port}; }};
    failing_allocation() = failing;
    try {
      pool.ask(name, 5, [](const resolution&) {});
    } catch (const std::bad_alloc&) { // the next request gets an answer
    }
    const bool failed = std::exchange(failing_allocation(), 0) == 0;
    pool.ask(name, 5, [&](const resolution& r) { answered.set_value(r.found ? "found" : r.problem); });
    CHECK(outcome(answered.get_future()) == "found");
    if (!failed) break;
    ++failures;
  }
  CHECK(failures > 3);
}

TEST_CASE("a resolver without memory fails one request, not the process") {
  std::atomic<std::size_t> failing = 0;
  resolver_pool pool{1, 10s, [&](const std::string&, std::uint16_t port) -> resolved_host {
                       failing_allocation() = failing;
                       if (failing > 100) throw socket_error("a text that is too long for a short string");
                       return {"127.0.0.1", port};
                     }};
  for (const auto at : {1, 2, 3, 4, 101, 0}) {
    failing = static_cast<std::size_t>(at);
    std::promise<std::string> answered;
    pool.ask("name.test", 5, [&](const resolution& r) {
      failing_allocation() = 0;
      answered.set_value(r.found ? "found" : "a problem");
    });
    const auto answer = outcome(answered.get_future());
    CHECK(answer != "nothing");
    if (at == 0) CHECK(answer == "found");
  }
}

TEST_CASE("when only this machine may be dialed, the resolved address of a name decides") {
  const greeter good;
  dialing one{{.where = dial_policy::this_machine}, [](const std::string& name, std::uint16_t port) -> resolved_host {
                return {name == "here.test" ? "127.0.0.1" : "192.0.2.1", port};
              }};
  CHECK(outcome(one.dial("127.0.0.1", good.port)) == "made");
  CHECK(outcome(one.dial("here.test", good.port)) == "made");
  CHECK_THAT(outcome(one.dial("elsewhere.test", good.port)),
             Contains("elsewhere.test resolves to 192.0.2.1, which is not on this machine") && Contains("--insecure"));
  CHECK_THAT(outcome(one.dial("192.0.2.1", good.port)),
             Catch::StartsWith("192.0.2.1 is not on this machine") && Contains("--insecure"));
  CHECK_THAT(outcome(one.dial("0.0.0.0", good.port)), Contains("is not on this machine"));
}
