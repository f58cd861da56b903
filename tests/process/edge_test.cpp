// A node at its borders: foreign web pages, clients that hold connections and memory, a log without a reader, and
// signals.
#include "tests/process/folder.hpp"
#include "tests/process/load.hpp"
#include "tests/unit/http/wire.hpp"

#include <catch2/catch.hpp>

#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <future>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

using namespace troupe::testing;
using namespace std::chrono_literals;
using Catch::Contains;
using Catch::StartsWith;
using std::chrono::steady_clock;
using troupe::http::testing::read_answer;
using troupe::http::testing::wire;

namespace {

/// Sends one raw request and returns the raw answer. The connection is closed afterwards.
std::string ask(std::uint16_t port, const std::string& head, const std::string& body = {}) {
  wire one{port};
  one.send(head + "Connection: close\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  one.half_close();
  return one.read_all();
}

/// Fills a pipe completely.
void fill(int pipe) {
  for (const std::size_t size : {4096u, 1u})
    while (::write(pipe, std::string(size, 'x').data(), size) > 0) {
    }
}

/// Whether the process blocks or handles the signal. Process 1 receives no other signals: the defaults do not end it.
bool receives(const program& one, int number) {
  const auto proc = std::filesystem::path{"/proc"};
  std::error_code gone;
  // Before its exec, the process is a copy of this test and has its signal handlers.
  if (std::filesystem::read_symlink(proc / std::to_string(one.pid()) / "exe", gone) ==
      std::filesystem::read_symlink(proc / "self" / "exe"))
    return false;
  std::ifstream status{"/proc/" + std::to_string(one.pid()) + "/status"};
  for (std::string line; std::getline(status, line);) {
    if (!line.starts_with("SigBlk:") && !line.starts_with("SigCgt:")) continue;
    if (std::stoull(line.substr(7), nullptr, 16) >> (number - 1) & 1u) return true;
  }
  return false;
}

} // namespace

TEST_CASE("a foreign web page can neither read nor change a node on localhost") {
  ready_cluster nodes{1};
  const auto port = nodes[0].http_port();
  const auto own = "localhost:" + std::to_string(port);
  nodes[0].put("k", 1);
  const std::string foreign =
      "Host: " + own +
      "\r\nOrigin: http://evil.example\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\n"
      "Content-Type: text/plain;charset=UTF-8\r\n";
  for (const auto* target : {"/v1/members", "/put?map=m&key=k&value=2", "/remove?map=m&key=k", "/v1/snapshot",
                             "/v1/transfer", "/v1/maps/m/k/cas"}) {
    INFO(target);
    CHECK_THAT(ask(port, std::string("POST ") + target + " HTTP/1.1\r\n" + foreign, "{}"), StartsWith("HTTP/1.1 403 "));
  }
  for (const auto* method : {"GET", "PUT", "DELETE"})
    CHECK_THAT(
        ask(port, std::string(method) + " /v1/maps/m/k HTTP/1.1\r\nHost: evil.example:" + std::to_string(port) + "\r\n",
            "2"),
        StartsWith("HTTP/1.1 421 ") && Contains("--http-host"));
  CHECK(nodes[0].get("k") == 1);
  // Requests of a command-line client and of a page from the server itself are accepted.
  CHECK_THAT(ask(port, "PUT /v1/maps/m/k HTTP/1.1\r\nHost: " + own + "\r\n", "3"), StartsWith("HTTP/1.1 200 "));
  CHECK_THAT(ask(port, "PUT /v1/maps/m/k HTTP/1.1\r\nHost: " + own + "\r\nOrigin: http://" + own + "\r\n", "4"),
             StartsWith("HTTP/1.1 200 "));
  CHECK(nodes[0].get("k") == 4);
}

TEST_CASE("a node without TLS never dials other machines") {
  ready_cluster nodes{1};
  const auto answer = nodes[0].call("POST", "/v1/members", R"({"id":"00000000000000ff","address":"192.0.2.1:27199"})");
  CHECK(answer.status == 200); // it is added as a learner and remains one
  wait_for("the refusal to dial", 20s,
           [&] { return nodes[0].log().find("is not on this machine") != std::string::npos; });
}

TEST_CASE("clients that hold connections and memory block neither other clients nor probes") {
  const auto probe_port = free_ports(1).front();
  ready_cluster nodes{1, lifetime::test_case, [&](std::size_t) {
                        return std::vector<std::string>{"--http-connections", "64",
                                                        "--http-memory",      "16MB",
                                                        "--probe-port",       std::to_string(probe_port)};
                      }};
  const auto port = nodes[0].http_port();
  const auto local = std::string("Host: localhost\r\n");
  std::vector<wire> idle;
  for (int i = 0; i < 100; ++i) {
    idle.emplace_back(port).send("GET /livez HTTP/1.1\r\n" + local + "\r\n");
    CHECK_THAT(read_answer(idle.back()), StartsWith("HTTP/1.1 200 "));
  }
  nodes[0].put("k", 1);
  const auto before = nodes[0].process().resident_bytes();
  std::vector<wire> unfinished;
  for (int i = 0; i < 40; ++i) {
    unfinished.emplace_back(port).send("PUT /v1/maps/m/k HTTP/1.1\r\n" + local + "Content-Length: 4000000\r\n\r\n\"" +
                                       std::string(3'500'000, 'x')); // 140 MB in all
    CHECK(nodes[0].call("GET", "/livez").status == 200);
  }
  if (memory_is_measurable) CHECK(nodes[0].process().resident_bytes() < before + (48u << 20));
  nodes[0].put("k", 2);
  CHECK(nodes[0].get("k") == 2);
  for (const auto* path : {"/livez", "/readyz"}) {
    CHECK_THAT(ask(probe_port, std::string("GET ") + path + " HTTP/1.1\r\n" + local), StartsWith("HTTP/1.1 200 "));
    CHECK(nodes[0].call("GET", path).status == 200);
  }
  CHECK_THAT(ask(probe_port, "GET /status HTTP/1.1\r\n" + local), StartsWith("HTTP/1.1 404 "));
}

TEST_CASE("a node whose log has no reader keeps serving, counts dropped lines, and stops on SIGTERM") {
  const auto folder = make_folder();
  const auto fifo = folder / "n.log";
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  const int pipe = ::open(fifo.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
  REQUIRE(pipe >= 0);
  const auto ports = free_ports(2);
  server node{"n", folder, ports[0], ports[1], "none", {"--bootstrap-expect", "1"}};
  node.start();
  wait_for("the node", 20s, [&] { return node.ready(); });
  fill(pipe);
  for (int i = 0; i < 20; ++i) CHECK(node.call("POST", "/v1/snapshot").status == 200); // each logs a line
  node.put("k", 1);
  CHECK(node.get("k") == 1);
  CHECK(node.status()["log_lines_dropped"].is_number());
  node.process().signal(SIGTERM);
  CHECK(node.process().wait(10s) == 0);
  ::close(pipe);
}

TEST_CASE("a request that waits for a majority is answered when the node stops") {
  ready_cluster nodes{3};
  const auto last = nodes.follower();
  for (std::size_t i = 0; i < 3; ++i)
    if (i != last) nodes[i].process().kill();
  // From then on the node forwards no write, so the outcome of a write is certain.
  wait_for("a node without a leader", 10s, [&] { return nodes[last].status()["leader"].is_null(); });
  const auto ask_long = [&](const std::string& method) {
    return std::async(std::launch::async, [&, method] {
      return nodes[last].call(method, "/v1/maps/m/k?timeout=60s", method == "PUT" ? "1" : "", 30s);
    });
  };
  // Both arrive before the third request, which the node answers by itself.
  auto written = ask_long("PUT");
  auto read = ask_long("GET");
  wait_for("an answer from /livez", 10s, [&] { return nodes[last].call("GET", "/livez").status == 200; });
  CHECK(written.wait_for(500ms) == std::future_status::timeout);
  const auto asked = steady_clock::now();
  nodes[last].process().signal(SIGTERM);
  const auto of_write = written.get();
  CHECK(of_write.status == 503);
  CHECK_THAT(of_write.body, Contains("\"rejected\""));
  const auto of_read = read.get();
  CHECK(of_read.status == 503);
  CHECK_THAT(of_read.body, Contains("\"rejected\""));
  CHECK(nodes[last].process().wait(10s) == 0);
  CHECK(steady_clock::now() - asked < 10s);
}

TEST_CASE("when a node stops, a write in its log is unknown, and one that found no leader is rejected") {
  ready_cluster nodes{3};
  const auto last = nodes.leader().value();
  for (std::size_t i = 0; i < 3; ++i)
    if (i != last) nodes[i].process().kill();
  const auto put = [&](const std::string& key) {
    return std::async(std::launch::async,
                      [&, key] { return nodes[last].call("PUT", "/v1/maps/m/" + key + "?timeout=60s", "1", 30s); });
  };
  const auto logged = nodes[last].status()["last_index"].get<std::uint64_t>();
  auto in_log = put("logged");
  wait_for("the write in the log", 10s,
           [&] { return nodes[last].status()["last_index"].get<std::uint64_t>() > logged; });
  wait_for("a node without a leader", 10s, [&] { return nodes[last].status()["leader"].is_null(); });
  auto waiting = put("waiting");
  CHECK(waiting.wait_for(500ms) == std::future_status::timeout);
  nodes[last].process().signal(SIGTERM);
  const auto unknown = in_log.get();
  CHECK(unknown.status == 504);
  CHECK_THAT(unknown.body, Contains("\"unknown\"") && Contains("shutting down"));
  const auto rejected = waiting.get();
  CHECK(rejected.status == 503);
  CHECK_THAT(rejected.body, Contains("\"rejected\""));
  CHECK(nodes[last].process().wait(10s) == 0);
}

TEST_CASE("every example stops on SIGTERM and SIGINT, also as process 1, and checks its port") {
  const auto folder = make_folder();
  int number = 0;
  for (const auto* example : {TROUPE_COUNTER, TROUPE_WATCHER}) {
    for (const int signal : {SIGTERM, SIGINT}) {
      INFO(example << " " << signal);
      const auto name = "e" + std::to_string(++number);
      const auto port = std::to_string(free_ports(1).front());
      program one{{example, port, (folder / name).string(), "static:127.0.0.1:" + port}, folder / (name + ".log")};
      wait_for("election of the example", 20s,
               [&] { return read_text(folder / (name + ".log")).find("leads in term") != std::string::npos; });
      CHECK(receives(one, SIGTERM));
      CHECK(receives(one, SIGINT));
      one.signal(signal);
      CHECK(one.wait(10s) == 0);
    }
    for (const auto* port : {"99999", "0", "-1", "80x", "", "65536"})
      CHECK(run({example, port, (folder / "none").string(), "static:127.0.0.1:5000"}, folder / "port.log") == 2);
  }
  CHECK(run({TROUPE_QUICKSTART, (folder / "none").string(), "99999"}, folder / "port.log") == 2);
  ready_cluster nodes{1};
  CHECK(receives(nodes[0].process(), SIGTERM));
  CHECK(receives(nodes[0].process(), SIGINT));
}

TEST_CASE("a signal that arrives while a node starts is not lost") {
  const auto folder = make_folder();
  for (int round = 0; round < 5; ++round) {
    const auto ports = free_ports(2);
    server node{"n" + std::to_string(round), folder, ports[0], ports[1], "none", {"--bootstrap-expect", "1"}};
    node.start();
    // The signal is sent as soon as the process runs its own code, when it is blocked and not handled yet.
    wait_for("the first instructions", 10s, [&] { return receives(node.process(), SIGTERM); });
    node.process().signal(SIGTERM);
    CHECK(node.process().wait(10s) == 0);
  }
}
