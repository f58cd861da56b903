// Runs webserver processes on this machine and sends HTTP requests to them.
#pragma once

#include "runtime/http/client/client.hpp"
#include "tests/process/folder.hpp"
#include "tests/process/program.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::testing {

using nlohmann::json;
using std::chrono::milliseconds;

/// Ports without a listener, below those that the kernel gives to outgoing connections: a port must still be free when
/// its node restarts.
std::vector<std::uint16_t> free_ports(std::size_t count);

/// Calls `attempt` until it returns true. Throws, and so fails the test, after `patience`. An exception of type
/// http::client_error or refused_answer counts as false.
void wait_for(const std::string& what, std::chrono::milliseconds patience, const std::function<bool()>& attempt);

/// A node answered with a status other than 200, for example because it is still starting.
struct refused_answer : std::runtime_error {
  using std::runtime_error::runtime_error;
};
/// The body of an answer with status 200.
/// @throws refused_answer for any other status; wait_for() tries again then.
json body_of(const http::result& answer, const std::string& what);

/// Opens a connection to the node at a position. Thread-safe.
using node_connector = std::function<http::client(std::size_t)>;

/// The ids of the voters, from an answer of /v1/members.
std::set<std::string> voters_of(const json& members);

struct program_end {
  int code = 0;
  /// Its output.
  std::string text;
};
/// Runs a webserver with these options until it exits.
program_end run_webserver(std::vector<std::string> options);

/// One node. It keeps its ports and its data when it is killed and restarted.
class server {
 public:
  server(std::string name, std::filesystem::path folder, std::uint16_t raft_port, std::uint16_t http_port,
         std::string discovery, std::vector<std::string> more = {});

  const std::string& name() const { return name_; }
  std::uint16_t raft_port() const { return raft_port_; }
  std::uint16_t http_port() const { return http_port_; }
  std::filesystem::path data_dir() const { return folder_ / name_; }
  std::filesystem::path log_file() const { return folder_ / (name_ + ".log"); }
  std::string log() const;
  std::vector<std::string> command() const;

  void start();
  /// The process; it must have been started.
  program& process() { return *process_; }
  bool running() { return process_ && process_->running(); }

  http::client connect(milliseconds timeout = milliseconds{8000}) const { return {"127.0.0.1", http_port_, timeout}; }
  /// Sends one request on a new connection.
  http::result call(std::string_view method, std::string_view target, std::string_view body = {},
                    milliseconds timeout = milliseconds{8000}) const;
  json status() const;
  bool ready() const { return call("GET", "/readyz").status == 200; }
  /// Whether there are this many voters, no change of the members is in progress, and the next one may begin.
  bool has_voters(std::size_t count) const;
  /// PUT and GET of a small number in map "m". They throw refused_answer if the status is not 200.
  void put(const std::string& key, int value) const;
  /// Retries the put until it succeeds. After the death of a node that may have led, requests have unknown outcomes.
  void insist(const std::string& key, int value) const;
  int get(const std::string& key, std::string_view level = "linearizable") const;

 private:
  std::string name_;
  std::filesystem::path folder_;
  std::uint16_t raft_port_;
  std::uint16_t http_port_;
  std::string discovery_;
  std::vector<std::string> more_;
  std::unique_ptr<program> process_;
};

/// Nodes that find each other by a static list.
class cluster {
 public:
  /// Further options of a node, by its position from 0.
  using options_of_node = std::function<std::vector<std::string>(std::size_t)>;
  explicit cluster(std::size_t size, lifetime use = lifetime::test_case, const options_of_node& more = {});

  server& operator[](std::size_t i) { return *nodes_[i]; }
  std::size_t size() const { return nodes_.size(); }
  node_connector connector() const {
    return [this](std::size_t i) { return nodes_[i]->connect(); };
  }

  void start();
  /// Waits until all running nodes are ready and agree on a leader; returns its position.
  std::size_t wait_ready();
  /// The position of any running follower.
  std::size_t follower();
  /// The leader's position, if all running nodes agree on it.
  std::optional<std::size_t> leader();

 private:
  std::vector<std::unique_ptr<server>> nodes_;
};

/// A cluster that has been started and is ready.
struct ready_cluster : cluster {
  explicit ready_cluster(std::size_t size, lifetime use = lifetime::test_case, const options_of_node& more = {})
      : cluster(size, use, more) {
    start();
    wait_ready();
  }
};

} // namespace troupe::testing
