#include "tests/process/cluster.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <random>
#include <stdexcept>
#include <thread>
#include <troupe/http/target.hpp>

namespace troupe::testing {

using namespace std::chrono_literals;

namespace {

constexpr std::uint16_t lowest_port = 10'000;

bool bind_to(int fd, std::uint16_t port) {
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(port);
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return ::bind(fd, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0;
}

std::string address(std::uint16_t port) { return "127.0.0.1:" + std::to_string(port); }

} // namespace

std::vector<std::uint16_t> free_ports(std::size_t count) {
  int highest = 32'768;
  std::ifstream{"/proc/sys/net/ipv4/ip_local_port_range"} >> highest;
  std::uniform_int_distribution<int> any{lowest_port, std::max(highest - 1, lowest_port + 1000)};
  std::random_device random;
  std::vector<std::uint16_t> ports;
  std::vector<int> held;
  for (int attempts = 0; ports.size() < count && attempts < 10'000; ++attempts) {
    const auto port = static_cast<std::uint16_t>(any(random));
    held.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (bind_to(held.back(), port)) ports.push_back(port);
  }
  for (const int fd : held) ::close(fd);
  if (ports.size() < count) throw std::runtime_error("found no free ports");
  return ports;
}

void wait_for(const std::string& what, milliseconds patience, const std::function<bool()>& attempt) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  std::string last;
  for (;;) {
    try {
      if (attempt()) return;
    } catch (const refused_answer& error) {
      last = std::string{"; last: "} + error.what();
    } catch (const http::client_error& error) {
      last = std::string{"; last: "} + error.what();
    }
    if (std::chrono::steady_clock::now() >= deadline)
      throw std::runtime_error(what + " did not happen within " + std::to_string(patience.count()) + " ms" + last);
    std::this_thread::sleep_for(10ms); // nap: other processes do not report when they change
  }
}

json body_of(const http::result& answer, const std::string& what) {
  if (answer.status == 200) return json::parse(answer.body);
  throw refused_answer{what + " answered " + std::to_string(answer.status) + ": " + answer.body};
}

std::set<std::string> voters_of(const json& members) {
  std::set<std::string> found;
  for (const auto& m : members.at("members"))
    if (m.at("voter").get<bool>()) found.insert(m.at("id").get<std::string>());
  return found;
}

program_end run_webserver(std::vector<std::string> options) {
  const auto log = make_folder() / "run.log";
  options.insert(options.begin(), TROUPE_WEBSERVER);
  const int code = run(std::move(options), log);
  return {code, read_text(log)};
}

server::server(std::string name, std::filesystem::path folder, std::uint16_t raft_port, std::uint16_t http_port,
               std::string discovery, std::vector<std::string> more)
    : name_(std::move(name)), folder_(std::move(folder)), raft_port_(raft_port), http_port_(http_port),
      discovery_(std::move(discovery)), more_(std::move(more)) {}

std::string server::log() const { return read_text(log_file()); }

std::vector<std::string> server::command() const {
  std::vector<std::string> words{TROUPE_WEBSERVER,           "--raft-port", std::to_string(raft_port_), "--http-port",
                                 std::to_string(http_port_), "--data-dir",  data_dir().string()};
  if (!discovery_.empty()) words.insert(words.end(), {"--discovery", discovery_});
  words.insert(words.end(), more_.begin(), more_.end());
  return words;
}

void server::start() { process_ = std::make_unique<program>(command(), log_file()); }

http::result server::call(std::string_view method, std::string_view target, std::string_view body,
                          milliseconds timeout) const {
  return connect(timeout).request(method, target, body);
}

bool server::has_voters(std::size_t count) const {
  const auto now = body_of(call("GET", "/v1/members"), "/v1/members");
  return !now["changing"].get<bool>() && voters_of(now).size() == count &&
         status()["commit_index"] >= now["configuration_index"];
}

json server::status() const { return body_of(call("GET", "/status"), name_ + " /status"); }

void server::put(const std::string& key, int value) const {
  body_of(call("PUT", "/v1/maps/m/" + http::percent_encode(key), std::to_string(value)), name_ + " PUT " + key);
}

void server::insist(const std::string& key, int value) const {
  wait_for(name_ + " PUT " + key, 20s, [&] {
    put(key, value);
    return true;
  });
}

int server::get(const std::string& key, std::string_view level) const {
  const auto target = "/v1/maps/m/" + http::percent_encode(key) + "?level=" + std::string{level};
  return body_of(call("GET", target), name_ + " GET " + key).at("value").get<int>();
}

cluster::cluster(std::size_t size, lifetime use, const options_of_node& more) {
  const auto folder = make_folder(use);
  const auto ports = free_ports(2 * size);
  std::string discovery = "static:" + address(ports[0]);
  for (std::size_t i = 1; i < size; ++i) discovery += "," + address(ports[i]);
  for (std::size_t i = 0; i < size; ++i)
    nodes_.push_back(std::make_unique<server>("node" + std::to_string(i + 1), folder, ports[i], ports[size + i],
                                              discovery, more ? more(i) : std::vector<std::string>{}));
}

void cluster::start() {
  for (auto& node : nodes_) node->start();
}

std::optional<std::size_t> cluster::leader() {
  std::optional<std::size_t> found;
  std::vector<json> states(size());
  for (std::size_t i = 0; i < size(); ++i) {
    if (!nodes_[i]->running()) continue;
    const auto answer = nodes_[i]->call("GET", "/status");
    if (answer.status != 200) return std::nullopt; // still starting
    states[i] = json::parse(answer.body);
    if (states[i]["role"] != "leader") continue;
    if (found) return std::nullopt;
    found = i;
  }
  if (!found) return std::nullopt;
  for (const auto& state : states)
    if (!state.is_null() && (state["leader"].is_null() || state["leader"]["id"] != states[*found]["id"]))
      return std::nullopt;
  return found;
}

std::size_t cluster::wait_ready() {
  std::optional<std::size_t> found;
  wait_for("election of a leader and readiness of all nodes", 20s, [&] {
    for (auto& node : nodes_)
      if (node->running() && !node->ready()) return false;
    found = leader();
    return found.has_value();
  });
  return *found;
}

std::size_t cluster::follower() {
  const auto leads = wait_ready();
  for (std::size_t i = 0; i < size(); ++i)
    if (i != leads && nodes_[i]->running()) return i;
  throw std::runtime_error("there is no follower");
}

} // namespace troupe::testing
