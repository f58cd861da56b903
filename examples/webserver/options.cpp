#include "examples/webserver/options.hpp"

#include "examples/webserver/duration.hpp"
#include "examples/webserver/size.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <functional>
#include <optional>
#include <set>
#include <sstream>
#include <string_view>
#include <troupe/address.hpp>
#include <troupe/discovery.hpp>
#include <troupe/http/server.hpp>

namespace troupe::webserver {
namespace {

constexpr auto about = "An HTTP key-value store: one node of a replicated cluster.\n\n"
                       "Start three of them with the same --discovery, and they form a cluster:\n"
                       "  webserver --raft-port 5001 --http-port 8001 --data-dir n1 "
                       "--discovery static:127.0.0.1:5001,127.0.0.1:5002,127.0.0.1:5003\n"
                       "Without --discovery, the node is a cluster of its own.";

/// Three of CAF's heartbeat intervals, as troupe::config sets them.
constexpr std::chrono::milliseconds shortest_silence{600};

constexpr std::uint64_t least_http_memory = 16 << 20;

/// Holds the text of a duration until all options are read, so that --help shows the default as it is written.
struct duration_option {
  std::string text;
  std::chrono::milliseconds value() const { return *parse_duration(text); }
};

void add_duration(CLI::App& app, const std::string& flag, const std::string& variable, duration_option& target,
                  const std::string& help) {
  const auto check = [](const std::string& text) {
    return parse_duration(text) ? std::string{} : "invalid duration '" + text + "': expected " + duration_form;
  };
  app.add_option(flag, target.text, help)
      ->envname(variable)
      ->capture_default_str()
      ->type_name("TIME")
      ->check(CLI::Validator(check, ""));
}

/// Rejects an empty value. It is most likely an unset shell variable, and must not mean "no TLS" or "no secret".
CLI::Validator not_empty() {
  return {[](std::string& text) { return text.empty() ? std::string{"must not be empty"} : std::string{}; }, ""};
}

/// Removes the brackets that an IPv6 address may have, as in HOST:PORT.
CLI::Validator without_brackets() {
  return {[](std::string& text) {
            text = unbracketed(text);
            return std::string{};
          },
          ""};
}

/// The environment variable from which an option has its value; empty if it comes from the command line. CLI11's own
/// messages name only the option.
std::string source_of(const CLI::Option& option, const std::set<std::string, std::less<>>& flags_given) {
  const auto& variable = option.get_envname();
  const auto* value = variable.empty() ? nullptr : std::getenv(variable.c_str());
  if (!value || !*value) return {};
  const auto& names = option.get_lnames();
  const bool given = std::any_of(names.begin(), names.end(), [&](const auto& n) { return flags_given.contains(n); });
  return given ? std::string{} : variable;
}

/// CLI11's message, completed with the environment variable that had the wrong value, if there is one.
std::string explain(const CLI::App& app, std::string text, int argc, const char* const* argv) {
  std::set<std::string, std::less<>> given;
  for (int i = 1; i < argc; ++i)
    if (const std::string_view word{argv[i]}; word.starts_with("--"))
      given.emplace(word.substr(2, word.find('=') == word.npos ? word.npos : word.find('=') - 2));
  // The first option in the message is the wrong one, even if the message mentions others.
  const auto begin = std::min(text.find("--"), text.size());
  const auto end = std::min(text.find_first_of(": =\n", begin), text.size());
  const auto* option = app.get_option_no_throw(text.substr(begin, end - begin));
  if (!option) return text;
  if (const auto variable = source_of(*option, given); !variable.empty())
    text.insert(end, " (from the environment variable " + variable + ")");
  return text;
}

/// An address, as host:port.
CLI::Validator host_and_port() {
  return {[](std::string& text) {
            try {
              parse_host_port(text);
              return std::string{};
            } catch (const bad_address& why) {
              return std::string{why.what()};
            }
          },
          ""};
}

CLI::Validator discovery_methods() {
  return {[](std::string& text) { return discovery_problem(text); }, ""};
}

CLI::Validator host_name() {
  return {
      [](std::string& text) { return http::is_host_name(text) ? std::string{} : "'" + text + "' is not a host name"; },
      ""};
}

void add_network_options(CLI::App& app, options& chosen) {
  app.add_option("--raft-port", chosen.node.raft_port, "Port for other nodes")
      ->check(CLI::Range(1, 65535).description(""))
      ->envname("TROUPE_RAFT_PORT")
      ->capture_default_str()
      ->type_name("PORT");
  app.add_option("--http-port", chosen.http_port, "Port for HTTP clients; 0 picks a free port")
      ->check(CLI::Range(0, 65535).description(""))
      ->envname("TROUPE_HTTP_PORT")
      ->capture_default_str()
      ->type_name("PORT");
  app.add_option("--bind", chosen.node.bind, "Address to listen on; \"\" for all interfaces")
      ->envname("TROUPE_BIND")
      ->transform(without_brackets())
      ->capture_default_str()
      ->type_name("ADDRESS");
  app.add_option("--http-bind", chosen.http_bind,
                 "Address to listen on for HTTP, which has no encryption and no authentication (default: --bind)")
      ->envname("TROUPE_HTTP_BIND")
      ->transform(without_brackets())
      ->type_name("ADDRESS");
  app.add_option(
         "--http-host", chosen.http_hosts,
         "Names by which HTTP clients may call this server. Its IP addresses and localhost need not be listed. Any "
         "other Host is refused, because a foreign web page could reach this server under a name of its own")
      ->envname("TROUPE_HTTP_HOST")
      ->type_name("NAME,NAME,...")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(host_name());
  app.add_option("--advertise", chosen.node.advertise,
                 "Address at which other nodes reach this one (default: the bound address and the raft port)")
      ->envname("TROUPE_ADVERTISE")
      ->check(host_and_port())
      ->type_name("HOST:PORT");
}

/// Replaces a size such as 4096, 64KB or 1GB (units of 1024) by its number of bytes, which CLI11 reads next. CLI11 by
/// itself accepts a sign and wraps a number that is too large.
CLI::Validator size_value() {
  return {[](std::string& text) {
            const auto size = parse_size(text);
            if (!size) return "'" + text + "' is not a size: expected a whole number of bytes, or of KB, MB, GB or TB";
            text = std::to_string(*size);
            return std::string{};
          },
          ""};
}

/// Accepts a whole number of at least `least`, in digits.
CLI::Validator whole_number(std::uint64_t least) {
  return {[least](std::string& text) {
            std::uint64_t count = 0;
            const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), count);
            const bool whole = failed == std::errc{} && end == text.data() + text.size() && count >= least;
            return whole ? std::string{} : "'" + text + "' is not a whole number of at least " + std::to_string(least);
          },
          ""};
}

void add_size(CLI::App& app, const std::string& flag, const std::string& variable, std::uint64_t& target,
              const std::string& help) {
  app.add_option(flag, target, help)
      ->envname(variable)
      ->capture_default_str()
      ->transform(size_value())
      ->type_name("BYTES");
}

void add_http_options(CLI::App& app, options& chosen) {
  add_size(app, "--http-memory", "TROUPE_HTTP_MEMORY", chosen.http_memory,
           "Memory for requests and answers of all HTTP clients together; at least 16 MiB");
  app.add_option("--http-connections", chosen.http_connections,
                 "Limit of open connections from HTTP clients; beyond it, the longest idle connection is closed")
      ->envname("TROUPE_HTTP_CONNECTIONS")
      ->capture_default_str()
      ->check(CLI::Range(1, 1'000'000).description(""))
      ->type_name("N");
  app.add_option("--http-connections-per-address", chosen.http_connections_of_address,
                 "The same limit for the connections from one address (default: half of --http-connections)")
      ->envname("TROUPE_HTTP_CONNECTIONS_PER_ADDRESS")
      ->check(CLI::Range(1, 1'000'000).description(""))
      ->type_name("N");
  app.add_option("--probe-port", chosen.probe_port,
                 "Separate port for /livez and /readyz, which --http-port also serves; 0 picks a free port")
      ->envname("TROUPE_PROBE_PORT")
      ->check(CLI::Range(0, 65535).description(""))
      ->type_name("PORT");
}

void add_file(CLI::App& app, const std::string& flag, const std::string& variable, std::filesystem::path& target,
              const std::string& help) {
  app.add_option(flag, target, help)->envname(variable)->type_name("FILE")->check(not_empty());
}

void add_cluster_options(CLI::App& app, options& chosen, std::size_t& expect) {
  app.add_option("--data-dir", chosen.node.data_dir, "Directory for the node's identity, log and snapshots")
      ->envname("TROUPE_DATA_DIR")
      ->default_str(chosen.node.data_dir.string())
      ->check(not_empty())
      ->type_name("DIR");
  app.add_option(
         "--discovery", chosen.node.discovery,
         "How nodes find each other (default: no discovery). Separate several methods by semicolons, or repeat the "
         "option. static:HOST:PORT,HOST:PORT,... | dns:NAME:PORT | dns:_SERVICE._tcp.NAME | k8s:service=NAME | "
         "k8s:selector=LABELS | mdns: (docs/discovery.md describes their options)")
      ->envname("TROUPE_DISCOVERY")
      ->join(';')
      ->check(discovery_methods())
      ->type_name("METHOD");
  app.add_option(
         "--bootstrap-expect", expect,
         "Form a cluster of exactly N nodes; 0: never form a cluster, only join one (default: the number of nodes "
         "that static discovery lists, 0 with any other method, 1 without discovery)")
      ->envname("TROUPE_BOOTSTRAP_EXPECT")
      ->check(CLI::Range(0, 1000))
      ->type_name("N");
  add_file(
      app, "--restore", "TROUPE_RESTORE", chosen.node.restore,
      "Form a new cluster that starts with the state of this backup. Give it to one node, at its first start; ignored "
      "later");
}

void add_member_options(CLI::App& app, options& chosen, bool& remove, duration_option& grace) {
  auto& members = chosen.node.members;
  app.add_flag("--auto-remove,!--no-auto-remove", remove,
               "As leader, replace or remove members that have been dead for the grace period (default: on if "
               "--discovery uses mDNS or Kubernetes, else off)")
      ->envname("TROUPE_AUTO_REMOVE");
  add_duration(app, "--grace", "TROUPE_GRACE", grace,
               "How long a member must be dead before it is replaced or removed (default: 60s)");
  app.add_option("--min-voters", members.min_voters,
                 "Never remove a dead voter without a replacement if fewer voters than this would remain")
      ->envname("TROUPE_MIN_VOTERS")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000).description(""))
      ->type_name("N");
  app.add_flag("--leave", chosen.leave,
               "Leave the cluster on SIGTERM or SIGINT, instead of only transferring leadership")
      ->envname("TROUPE_LEAVE");
}

void add_transport_options(CLI::App& app, options& chosen, tls_settings& tls, duration_option& silence,
                           unsigned& warning_days) {
  add_file(app, "--tls-cert", "TROUPE_TLS_CERT", tls.cert,
           "This node's certificate, PEM. With --tls-key and --tls-ca: mutual TLS on the raft port");
  add_file(app, "--tls-key", "TROUPE_TLS_KEY", tls.key,
           "Private key of the certificate, PEM. Other users must not have access to it");
  add_file(app, "--tls-ca", "TROUPE_TLS_CA", tls.ca,
           "CA that must have signed the certificates of the other nodes, PEM");
  app.add_option("--tls-cluster-name", tls.cluster_name,
                 "The cluster's DNS name, which every member's certificate must have as a subject alternative name")
      ->envname("TROUPE_TLS_CLUSTER_NAME")
      ->type_name("NAME")
      ->check(not_empty());
  app.add_option("--tls-allow", tls.allowed_names, "Also accept certificates with one of these names")
      ->envname("TROUPE_TLS_ALLOW")
      ->type_name("NAME,NAME,...")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(not_empty());
  add_file(app, "--cluster-secret-file", "TROUPE_CLUSTER_SECRET_FILE", chosen.node.transport.cluster_secret_file,
           "A secret that all nodes share, at least 16 bytes. Guards against accidents, not against attackers");
  app.add_option("--tls-warn-days", warning_days,
                 "Warn if this node's certificate expires in less than N days (default: 7, or a third of its lifetime "
                 "if that is shorter)")
      ->envname("TROUPE_TLS_WARN_DAYS")
      ->type_name("N")
      ->check(CLI::Range(1, 3650).description(""));
  add_duration(app, "--silence-limit", "TROUPE_SILENCE_LIMIT", silence,
               "Close a connection to a node that has sent nothing for this long (default: 0.9 of twice the election "
               "timeout, at least 600ms)");
  app.add_flag("--insecure", chosen.node.insecure,
               "Allow addresses that other machines can reach without TLS: every client that reaches the raft port can "
               "read and change everything")
      ->envname("TROUPE_INSECURE");
}

void add_storage_options(CLI::App& app, options& chosen, duration_option& stall, duration_option& lag,
                         duration_option& catch_up_time) {
  auto& node = chosen.node;
  add_size(app, "--snapshot-log-size", "TROUPE_SNAPSHOT_LOG_SIZE", node.snapshots.log_bytes,
           "Take a snapshot when the log has grown by about this much since the last one");
  app.add_option("--snapshot-entries", node.snapshots.log_entries, "... or by about this many entries")
      ->envname("TROUPE_SNAPSHOT_ENTRIES")
      ->capture_default_str()
      ->check(whole_number(1))
      ->type_name("N");
  app.add_option("--log-tail", node.raft.log_tail,
                 "Entries of the log up to a snapshot that are kept, for nodes that are slightly behind")
      ->envname("TROUPE_LOG_TAIL")
      ->capture_default_str()
      ->check(whole_number(0))
      ->type_name("N");
  add_size(app, "--log-tail-size", "TROUPE_LOG_TAIL_SIZE", node.raft.log_tail_bytes,
           "... or this many bytes of entries, whichever is less");
  add_size(app, "--catch-up-log-size", "TROUPE_CATCH_UP_LOG_SIZE", node.raft.catch_up_log_bytes,
           "Bytes of log that the leader keeps for a node that receives a snapshot, until it has caught up");
  add_duration(app, "--catch-up-log-time", "TROUPE_CATCH_UP_LOG_TIME", catch_up_time,
               "How long the leader keeps the log for such a node");
  add_size(app, "--snapshot-rate", "TROUPE_SNAPSHOT_RATE", node.raft.snapshot_bytes_per_second,
           "Limit for sending a snapshot to one node, in bytes per second; 0: no limit");
  add_duration(app, "--disk-stall-limit", "TROUPE_DISK_STALL_LIMIT", stall,
               "A disk that has not answered a write for this long is stalled: its node is not ready and does not "
               "lead. At least twice the election timeout (default: four times the election timeout)");
  add_duration(app, "--ready-lag", "TROUPE_READY_LAG", lag,
               "A node is not ready while it has not applied an entry that it has known to be committed for this long "
               "(default: ten times the election timeout)");
  add_size(app, "--max-state-bytes", "TROUPE_MAX_STATE_BYTES", node.max_state_bytes,
           "Quota of the maps; beyond it, writes that add to them are answered with 507; 0: no limit");
  add_size(app, "--segment-size", "TROUPE_SEGMENT_SIZE", node.segment_size, "Size of one file of the log");
}

/// Checks the methods of all --discovery options together. Throws CLI::ValidationError.
void check_discovery(const std::string& text) {
  if (const auto why = discovery_problem(text); !why.empty()) throw CLI::ValidationError("--discovery", why);
}

/// The TLS settings if they are complete, empty if none was given. Throws CLI::ValidationError if only some were.
std::optional<tls_settings> complete(const tls_settings& tls) {
  const bool named = !tls.cluster_name.empty() || !tls.allowed_names.empty();
  const bool none = tls.cert.empty() && tls.key.empty() && tls.ca.empty() && !named;
  if (none) return std::nullopt;
  const auto* missing = tls.cert.empty()  ? "--tls-cert"
                        : tls.key.empty() ? "--tls-key"
                        : tls.ca.empty()  ? "--tls-ca"
                        : !named          ? "--tls-cluster-name"
                                          : nullptr;
  if (missing)
    throw CLI::ValidationError(
        missing, "missing: TLS needs --tls-cert, --tls-key and --tls-ca, and --tls-cluster-name or --tls-allow");
  return tls;
}

} // namespace

std::string program_name(int argc, const char* const* argv) {
  const std::string_view path = argc > 0 ? argv[0] : "webserver";
  return std::string{path.substr(path.rfind('/') + 1)};
}

// NOLINTNEXTLINE(readability-function-size): the options write into its variables until the parse has ended
std::variant<options, early_exit> parse_options(int argc, const char* const* argv) {
  options chosen;
  std::size_t expect = 0;
  tls_settings tls;
  duration_option heartbeat{
      to_string(std::chrono::duration_cast<std::chrono::milliseconds>(chosen.node.raft.heartbeat))};
  duration_option election{
      to_string(std::chrono::duration_cast<std::chrono::milliseconds>(chosen.node.raft.election_min))};

  duration_option catch_up_time{
      to_string(std::chrono::duration_cast<std::chrono::milliseconds>(chosen.node.raft.catch_up_log_time))};
  duration_option silence;
  duration_option stall;
  duration_option lag;
  bool remove = false;
  duration_option grace;
  unsigned warning_days = 0;

  const auto program = program_name(argc, argv);
  CLI::App app{about, program};
  app.set_version_flag("--version", std::string{"troupe webserver "} + TROUPE_VERSION);
  add_network_options(app, chosen);
  add_http_options(app, chosen);
  add_cluster_options(app, chosen, expect);
  add_member_options(app, chosen, remove, grace);
  add_storage_options(app, chosen, stall, lag, catch_up_time);
  add_transport_options(app, chosen, tls, silence, warning_days);
  add_duration(app, "--heartbeat", "TROUPE_HEARTBEAT", heartbeat,
               "Interval at which a leader sends heartbeats while it has nothing else to send");
  add_duration(app, "--election-timeout", "TROUPE_ELECTION_TIMEOUT", election,
               "A node campaigns when it has heard from no leader for a random time between this and twice this");
  app.add_option("--log-level", chosen.log_level, "Level of the log, which goes to standard error")
      ->envname("TROUPE_LOG_LEVEL")
      ->capture_default_str()
      ->check(CLI::IsMember(std::set<std::string>{"trace", "debug", "info", "warn", "error", "critical", "off"}));
  app.footer(
      "TROUPE_TRACE in the environment makes the log show, for debugging, what the node does: all, or a list of\n"
      "actors, raft and links, separated by commas. The log level is then trace.");

  const auto stop = [&](const CLI::Error& why) {
    std::ostringstream out, err;
    const int code = app.exit(why, out, err);
    if (code == 0) return early_exit{0, out.str()};
    return early_exit{2, program + ": " + explain(app, err.str(), argc, argv)};
  };
  try {
    app.parse(argc, argv);
    check_discovery(chosen.node.discovery);
    if (chosen.http_memory < least_http_memory)
      throw CLI::ValidationError("--http-memory",
                                 "must be at least 16 MiB, to hold two of the largest bodies and answers");
    if (2 * heartbeat.value() > election.value())
      throw CLI::ValidationError("--election-timeout", "must be at least twice the heartbeat");
    if (app.count("--silence-limit") > 0) {
      chosen.node.transport.silence_limit = silence.value();
      if (silence.value() < shortest_silence)
        throw CLI::ValidationError("--silence-limit",
                                   "must be at least 600ms, because connections send heartbeats every 200ms");
    }
    if (app.count("--disk-stall-limit") > 0) chosen.node.raft.disk_stall_limit = stall.value();
    if (app.count("--ready-lag") > 0) chosen.node.ready_lag = lag.value();
    if (app.count("--grace") > 0) chosen.node.members.grace = grace.value();
    if (app.count("--tls-warn-days") > 0)
      chosen.node.transport.certificate_warning = std::chrono::hours{24 * warning_days};
    chosen.node.transport.tls = complete(tls);
  } catch (const CLI::Error& why) {
    return stop(why);
  }
  chosen.node.raft.heartbeat = heartbeat.value();
  chosen.node.raft.election_min = election.value();
  chosen.node.raft.election_max = 2 * election.value();
  chosen.node.raft.catch_up_log_time = catch_up_time.value();
  if (app.count("--auto-remove") > 0) chosen.node.members.remove = remove;
  if (app.count("--bootstrap-expect") > 0) chosen.node.bootstrap_expect = expect;
  return chosen;
}

} // namespace troupe::webserver
