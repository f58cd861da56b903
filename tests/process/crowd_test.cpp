// Many connections to the HTTP port slow down neither writes nor probes. TROUPE_LONG=1 runs more rounds.
#include "tests/process/cluster.hpp"
#include "tests/process/steady_writer.hpp"
#include "tests/unit/http/wire.hpp"

#include <catch2/catch.hpp>

#include <sys/resource.h>

#include <algorithm>
#include <cstdlib>
#include <future>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

using namespace troupe::testing;
using namespace std::chrono_literals;
using std::chrono::steady_clock;
using troupe::http::testing::wire;

namespace {

constexpr int idle_connections = 2'000;
constexpr milliseconds pressed_for{1500};
/// The crowd sends one half of a request every 5 ms.
constexpr auto half_sent = static_cast<int>(pressed_for / 5ms);
/// The longest time that a probe may take, in milliseconds. A program with sanitizers is several times slower, so it
/// gets five times as long, as for the time limits of the tests.
#ifdef __SANITIZE_ADDRESS__
constexpr double longest_probe = 500;
#else
constexpr double longest_probe = 100;
#endif

/// Holds idle connections. `press` sends 200 abandoned and 200 half-sent requests per second.
class crowd {
 public:
  explicit crowd(std::uint16_t port) : port_(port) {
    for (int i = 0; i < idle_connections; ++i) idle_.emplace_back(port_, address(i));
  }

  void press(milliseconds how_long) {
    const auto begin = steady_clock::now();
    for (int i = 0; i < how_long / 5ms; ++i) {
      std::this_thread::sleep_until(begin + i * 5ms); // nap: the pace of the crowd
      wire abandoned(port_, address(i));
      abandoned.send("PUT /v1/maps/crowd/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\n\"x\"");
      idle_.emplace_back(port_, address(i))
          .send("PUT /v1/maps/crowd/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n\"half");
    }
  }

 private:
  /// Spreads the connections over addresses, since the number of connections per address is limited.
  static std::string address(int number) { return "127.0.0." + std::to_string(2 + number % 8); }

  std::uint16_t port_;
  std::vector<wire> idle_;
};

double milliseconds_of_probe(const server& node) {
  const auto begin = steady_clock::now();
  CHECK(node.call("GET", "/livez").status == 200);
  return std::chrono::duration<double, std::milli>(steady_clock::now() - begin).count();
}

} // namespace

TEST_CASE("2,000 idle connections and 400 useless requests per second delay neither writes nor probes") {
  rlimit files{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &files) == 0);
  if (constexpr rlim_t needed = idle_connections + half_sent + 200; files.rlim_max < needed) {
    WARN("skipped: needs " << needed << " file descriptors, but the hard limit is " << files.rlim_max);
    return;
  }
  files.rlim_cur = files.rlim_max;
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &files) == 0);
  ready_cluster nodes{3};
  const auto& pressed = nodes[nodes.leader().value()];
  steady_writer writers{nodes, {}};
  std::vector<double> calm, crowded, probes;
  const int least = std::getenv("TROUPE_LONG") ? 10 : 3;
  constexpr int most = 12;
  int rounds = 0;
  // Alternates, because the machine may be busy with other work. Runs all rounds unless the result is clear earlier:
  // stopping at the limit itself would pass by chance.
  const auto is_clear = [&] {
    return rounds >= least && median(crowded) < 2 * median(calm) && median(probes) < longest_probe / 2;
  };
  for (; rounds < most && !is_clear(); ++rounds) {
    writers.take_p99();
    std::this_thread::sleep_for(1s); // nap: measures writes for a calm second
    calm.push_back(writers.take_p99());

    crowd around{pressed.http_port()};
    writers.take_p99();
    double slowest = 0;
    auto pressing = std::async(std::launch::async, [&] { around.press(pressed_for); }); // its destructor waits for it
    for (int i = 0; i < 15; ++i) {
      slowest = std::max(slowest, milliseconds_of_probe(pressed));
      std::this_thread::sleep_for(80ms); // nap: the pace of the probes
    }
    pressing.get();
    crowded.push_back(writers.take_p99());
    probes.push_back(slowest);
  }
  std::cout << "  p99 of writes: " << median(calm) << " ms calm, " << median(crowded)
            << " ms in a crowd; slowest /livez: " << median(probes) << " ms; " << rounds << " rounds\n";
  CHECK(median(crowded) < 3 * median(calm));
  CHECK(median(probes) < longest_probe);
  CHECK(writers.stop() == std::vector<std::string>{});
}
