#include "examples/webserver/options.hpp"

#include "examples/webserver/duration.hpp"

#include <CLI/CLI.hpp>

#include <set>
#include <sstream>

namespace troupe::webserver {
namespace {

constexpr auto about = "An HTTP key-value store: one node of a replicated cluster.\n\n"
                       "Start three of them with the same --discovery and they form a cluster:\n"
                       "  webserver --raft-port 5001 --http-port 8001 --data-dir n1 "
                       "--discovery static:127.0.0.1:5001,127.0.0.1:5002,127.0.0.1:5003\n"
                       "Without --discovery a node is a cluster of its own.";

/// Parsed to a duration once all is read: CLI11 keeps the text, so that --help shows the default as it is written.
struct duration_option {
  std::string text;
  std::chrono::milliseconds value() const { return *parse_duration(text); }
};

void add_duration(CLI::App& app, const std::string& flag, const std::string& variable, duration_option& target,
                  const std::string& help) {
  const auto check = [](const std::string& text) {
    return parse_duration(text) ? std::string{} : "'" + text + "' is no duration such as 250ms or 2s";
  };
  app.add_option(flag, target.text, help)
      ->envname(variable)
      ->capture_default_str()
      ->type_name("TIME")
      ->check(CLI::Validator(check, ""));
}

void add_network_options(CLI::App& app, options& chosen) {
  app.add_option("--raft-port", chosen.node.raft_port, "Port for other nodes")
      ->envname("TROUPE_RAFT_PORT")
      ->capture_default_str()
      ->type_name("PORT");
  app.add_option("--http-port", chosen.http_port, "Port for HTTP clients; 0 picks a free one")
      ->envname("TROUPE_HTTP_PORT")
      ->capture_default_str()
      ->type_name("PORT");
  app.add_option("--bind", chosen.node.bind, "Address to listen at, with both ports; \"\" for all interfaces")
      ->envname("TROUPE_BIND")
      ->capture_default_str()
      ->type_name("ADDRESS");
  app.add_option("--advertise", chosen.node.advertise,
                 "Where other nodes reach this one (default: the bound address and the raft port)")
      ->envname("TROUPE_ADVERTISE")
      ->type_name("HOST:PORT");
}

void add_cluster_options(CLI::App& app, options& chosen, std::size_t& expect) {
  app.add_option("--data-dir", chosen.node.data_dir, "Directory of the node's identity and log")
      ->envname("TROUPE_DATA_DIR")
      ->default_str(chosen.node.data_dir.string())
      ->type_name("DIR");
  app.add_option("--discovery", chosen.node.discovery,
                 "How nodes find each other: static:HOST:PORT,HOST:PORT,... (default: not at all)")
      ->envname("TROUPE_DISCOVERY")
      ->type_name("METHOD");
  app.add_option("--bootstrap-expect", expect,
                 "Form a cluster of exactly N nodes; 0: only ever join one (default: as many as --discovery lists, "
                 "1 without it)")
      ->envname("TROUPE_BOOTSTRAP_EXPECT")
      ->check(CLI::Range(0, 1000))
      ->type_name("N");
}

} // namespace

std::variant<options, early_exit> parse_options(int argc, const char* const* argv) {
  options chosen;
  std::size_t expect = 0;
  duration_option heartbeat{
      to_string(std::chrono::duration_cast<std::chrono::milliseconds>(chosen.node.raft.heartbeat))};
  duration_option election{
      to_string(std::chrono::duration_cast<std::chrono::milliseconds>(chosen.node.raft.election_min))};

  CLI::App app{about, "webserver"};
  add_network_options(app, chosen);
  add_cluster_options(app, chosen, expect);
  add_duration(app, "--heartbeat", "TROUPE_HEARTBEAT", heartbeat,
               "A leader's sign of life, when it has nothing else to say");
  add_duration(app, "--election-timeout", "TROUPE_ELECTION_TIMEOUT", election,
               "Without a leader for a random time between this and twice this, a node campaigns");
  app.add_option("--log-level", chosen.log_level, "What is written to standard error")
      ->envname("TROUPE_LOG_LEVEL")
      ->capture_default_str()
      ->check(CLI::IsMember(std::set<std::string>{"trace", "debug", "info", "warn", "error", "critical", "off"}));

  const auto stop = [&](const CLI::Error& why) {
    std::ostringstream out, err;
    const int code = app.exit(why, out, err);
    return early_exit{code == 0 ? 0 : 2, code == 0 ? out.str() : "webserver: " + err.str()};
  };
  try {
    app.parse(argc, argv);
    if (2 * heartbeat.value() > election.value())
      throw CLI::ValidationError("--election-timeout", "must be at least twice the heartbeat");
  } catch (const CLI::Error& why) {
    return stop(why);
  }
  chosen.node.raft.heartbeat = heartbeat.value();
  chosen.node.raft.election_min = election.value();
  chosen.node.raft.election_max = 2 * election.value();
  if (app.count("--bootstrap-expect") > 0) chosen.node.bootstrap_expect = expect;
  return chosen;
}

} // namespace troupe::webserver
