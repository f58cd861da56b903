// The webserver's options, from flags or the environment.
#include "examples/webserver/options.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

using namespace troupe;
using Catch::Contains;
using webserver::early_exit;

namespace {

using words = std::vector<std::string>;

/// Sets an environment variable for the lifetime of this object.
class variable {
 public:
  variable(std::string name, const std::string& value) : name_(std::move(name)) {
    ::setenv(name_.c_str(), value.c_str(), 1);
  }
  ~variable() { ::unsetenv(name_.c_str()); }
  variable(const variable&) = delete;

 private:
  std::string name_;
};

std::variant<webserver::options, early_exit> parse(const words& given) {
  std::vector<const char*> arguments{"webserver"};
  for (const auto& word : given) arguments.push_back(word.c_str());
  return webserver::parse_options(static_cast<int>(arguments.size()), arguments.data());
}

node_options accepted(const words& given) {
  auto parsed = parse(given);
  if (const auto* refused = std::get_if<early_exit>(&parsed)) FAIL(refused->text);
  return std::get<webserver::options>(parsed).node;
}

std::string refused(const words& given) {
  const auto parsed = parse(given);
  REQUIRE(std::holds_alternative<early_exit>(parsed));
  CHECK(std::get<early_exit>(parsed).code == 2);
  return std::get<early_exit>(parsed).text;
}

const words complete{"--tls-cert", "n1.crt",    "--tls-key",          "n1.key",
                     "--tls-ca",   "my ca.crt", "--tls-cluster-name", "troupe.local"};

words operator+(words left, const words& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

} // namespace

TEST_CASE("the log kept for lagging nodes is set by flags or the environment") {
  const auto& usual = raft_options{};
  CHECK(accepted({}).raft.log_tail_bytes == usual.log_tail_bytes);
  CHECK(accepted({}).raft.catch_up_log_bytes == usual.catch_up_log_bytes);
  CHECK(accepted({}).raft.catch_up_log_time == usual.catch_up_log_time);
  const auto chosen =
      accepted({"--log-tail-size", "4MB", "--catch-up-log-size", "2GB", "--catch-up-log-time", "90s"}).raft;
  CHECK(chosen.log_tail_bytes == 4 << 20);
  CHECK(chosen.catch_up_log_bytes == std::uint64_t{2} << 30);
  CHECK(chosen.catch_up_log_time == std::chrono::seconds{90});
  const variable tail{"TROUPE_LOG_TAIL_SIZE", "1KB"};
  const variable size{"TROUPE_CATCH_UP_LOG_SIZE", "0"};
  const variable time{"TROUPE_CATCH_UP_LOG_TIME", "500ms"};
  CHECK(accepted({}).raft.log_tail_bytes == 1024);
  CHECK(accepted({}).raft.catch_up_log_bytes == 0);
  CHECK(accepted({}).raft.catch_up_log_time == std::chrono::milliseconds{500});
  CHECK_THAT(refused({"--catch-up-log-time", "soon"}), Contains("--catch-up-log-time"));
}

TEST_CASE("by default there is no TLS and no secret, and --insecure is off", "[options]") {
  const auto node = accepted({});
  CHECK_FALSE(node.transport.tls);
  CHECK(node.transport.cluster_secret_file.empty());
  CHECK_FALSE(node.insecure);
}

TEST_CASE("TLS options become settings", "[options]") {
  const auto node = accepted(complete + words{"--tls-allow", "one.local,two.local", "--cluster-secret-file", "s"});
  REQUIRE(node.transport.tls);
  CHECK(node.transport.tls->cert == "n1.crt");
  CHECK(node.transport.tls->key == "n1.key");
  CHECK(node.transport.tls->ca == "my ca.crt");
  CHECK(node.transport.tls->cluster_name == "troupe.local");
  CHECK(node.transport.tls->allowed_names == words{"one.local", "two.local"});
  CHECK(node.transport.cluster_secret_file == "s");
}

TEST_CASE("TLS options from the environment become settings, and a flag wins", "[options]") {
  const variable cert{"TROUPE_TLS_CERT", "e.crt"};
  const variable key{"TROUPE_TLS_KEY", "e.key"};
  const variable ca{"TROUPE_TLS_CA", "e ca.crt"};
  const variable name{"TROUPE_TLS_CLUSTER_NAME", "e.local"};
  const variable allow{"TROUPE_TLS_ALLOW", "one.local,two.local"};
  const variable secret{"TROUPE_CLUSTER_SECRET_FILE", "e secret"};
  const auto node = accepted({"--tls-key", "flag.key"});
  REQUIRE(node.transport.tls);
  CHECK(node.transport.tls->cert == "e.crt");
  CHECK(node.transport.tls->key == "flag.key");
  CHECK(node.transport.tls->ca == "e ca.crt");
  CHECK(node.transport.tls->cluster_name == "e.local");
  CHECK(node.transport.tls->allowed_names == words{"one.local", "two.local"});
  CHECK(node.transport.cluster_secret_file == "e secret");
}

TEST_CASE("TLS is complete or absent", "[options]") {
  const std::vector<words> parts{
      {"--tls-cert", "c"}, {"--tls-key", "k"}, {"--tls-ca", "a"}, {"--tls-cluster-name", "n"}, {"--tls-allow", "m"}};
  for (unsigned chosen = 0; chosen < 1U << parts.size(); ++chosen) {
    words given;
    for (std::size_t i = 0; i < parts.size(); ++i)
      if (chosen >> i & 1U) given = given + parts[i];
    CAPTURE(given);
    const bool files = (chosen & 7U) == 7U;
    const bool named = (chosen & 24U) != 0;
    if (chosen == 0 || (files && named)) {
      CHECK(accepted(given).transport.tls.has_value() == (chosen != 0));
      continue;
    }
    const auto text = refused(given);
    CHECK_THAT(text, Contains("TLS needs --tls-cert, --tls-key and --tls-ca, and --tls-cluster-name or --tls-allow"));
    CHECK_THAT(text, Contains("--help"));
    // The error names the first missing option.
    for (std::size_t i = 0; i < 4; ++i) {
      if (chosen >> i & 1U) continue;
      CHECK_THAT(text, Contains(parts[i].front() + ": missing"));
      break;
    }
  }
}

TEST_CASE("an empty value does not silently turn off protection", "[options]") {
  for (const auto* flag :
       {"--tls-cert", "--tls-key", "--tls-ca", "--tls-cluster-name", "--tls-allow", "--cluster-secret-file"}) {
    CAPTURE(flag);
    CHECK_THAT(refused({flag, ""}), Contains(flag));
  }
}

TEST_CASE("sets the disk stall limit and the lag at which a node is ready", "[options]") {
  CHECK(accepted({}).raft.disk_stall_limit == std::chrono::milliseconds{0});
  CHECK(accepted({}).ready_lag == std::chrono::milliseconds{0});
  CHECK(accepted({"--disk-stall-limit", "700ms"}).raft.disk_stall_limit == std::chrono::milliseconds{700});
  CHECK(accepted({"--ready-lag", "9s"}).ready_lag == std::chrono::seconds{9});
  CHECK_THAT(refused({"--disk-stall-limit", "0s"}), Contains("--disk-stall-limit"));
  CHECK_THAT(refused({"--ready-lag", "soon"}), Contains("--ready-lag"));
}

TEST_CASE("sets the silence limit and the time of certificate warnings", "[options]") {
  CHECK_FALSE(accepted({}).transport.silence_limit);
  CHECK_FALSE(accepted({}).transport.certificate_warning);
  CHECK(accepted({"--silence-limit", "600ms"}).transport.silence_limit == std::chrono::milliseconds{600});
  CHECK(accepted({"--silence-limit", "3s"}).transport.silence_limit == std::chrono::seconds{3});
  CHECK_THAT(refused({"--silence-limit", "599ms"}), Contains("--silence-limit: must be at least 600ms"));
  CHECK_THAT(refused({"--silence-limit", "0s"}), Contains("--silence-limit"));
  CHECK(accepted({"--tls-warn-days", "30"}).transport.certificate_warning == std::chrono::hours{720});
  CHECK_THAT(refused({"--tls-warn-days", "0"}), Contains("--tls-warn-days"));
  const variable silence{"TROUPE_SILENCE_LIMIT", "2s"};
  CHECK(accepted({}).transport.silence_limit == std::chrono::seconds{2});
}

TEST_CASE("--insecure is set by a flag or the environment", "[options]") {
  CHECK(accepted({"--insecure"}).insecure);
  {
    const variable insecure{"TROUPE_INSECURE", "1"};
    CHECK(accepted({}).insecure);
  }
  {
    const variable insecure{"TROUPE_INSECURE", "0"};
    CHECK_FALSE(accepted({}).insecure);
  }
  const variable insecure{"TROUPE_INSECURE", "perhaps"};
  CHECK_THAT(refused({}), Contains("--insecure"));
}

TEST_CASE("a listen address may be in brackets", "[options]") {
  CHECK(accepted({"--bind", "[::1]"}).bind == "::1");
  CHECK(accepted({"--bind", "::1"}).bind == "::1");
  CHECK(accepted({"--bind", ""}).bind.empty());
  const auto parsed = parse({"--http-bind", "[fe80::1%eth0]"});
  REQUIRE(std::holds_alternative<webserver::options>(parsed));
  CHECK(std::get<webserver::options>(parsed).http_bind == "fe80::1%eth0");
}

TEST_CASE("the error about a bad value from the environment names the variable", "[options]") {
  const auto [name, flag, good] = GENERATE(
      std::tuple{"TROUPE_HTTP_PORT", "--http-port", "8080"}, std::tuple{"TROUPE_RAFT_PORT", "--raft-port", "5000"},
      std::tuple{"TROUPE_HEARTBEAT", "--heartbeat", "20ms"}, std::tuple{"TROUPE_INSECURE", "--insecure=false", ""},
      std::tuple{"TROUPE_DISCOVERY", "--discovery", "none"}, std::tuple{"TROUPE_LOG_LEVEL", "--log-level", "warn"});
  CAPTURE(name);
  const variable bad{name, "tcp://10.0.0.1:8080"};
  const auto text = refused({});
  CHECK_THAT(text, Contains(std::string{"(from the environment variable "} + name + ")"));
  CHECK_THAT(text, Contains(std::string{flag}.substr(0, std::string{flag}.find('='))));
  // The flag has precedence, and the error names it if it is bad itself.
  accepted(*good ? words{flag, good} : words{flag});
  if (*good) CHECK_THAT(refused({flag, "tcp://10.0.0.1:8080"}), !Contains("environment"));
}

TEST_CASE("sets whether and when dead members are removed") {
  CHECK(accepted({}).members.remove == std::nullopt); // decided by the discovery methods
  CHECK(accepted({}).members.grace == std::chrono::seconds{60});
  const auto chosen = accepted({"--auto-remove", "--grace", "5s", "--min-voters", "2"});
  CHECK(chosen.members.remove == true);
  CHECK(chosen.members.grace == std::chrono::seconds{5});
  CHECK(chosen.members.min_voters == 2);
  CHECK(accepted({"--no-auto-remove"}).members.remove == false);
  {
    const variable environment{"TROUPE_AUTO_REMOVE", "1"};
    CHECK(accepted({}).members.remove == true);
    CHECK(accepted({"--no-auto-remove"}).members.remove == false);
  }
  const variable environment{"TROUPE_AUTO_REMOVE", "0"};
  CHECK(accepted({}).members.remove == false);
}

TEST_CASE("a backup to restore is set by flag or environment") {
  CHECK(accepted({}).restore.empty());
  CHECK(accepted({"--restore", "my.backup"}).restore == "my.backup");
  const variable environment{"TROUPE_RESTORE", "other.backup"};
  CHECK(accepted({}).restore == "other.backup");
  CHECK(accepted({"--restore", "my.backup"}).restore == "my.backup");
}

TEST_CASE("discovery methods may be given in one option or in several", "[options]") {
  CHECK(accepted({}).discovery.empty());
  CHECK(accepted({"--discovery", "static:a:1,b:2;dns:c:3"}).discovery == "static:a:1,b:2;dns:c:3");
  CHECK(accepted({"--discovery", "static:a:1,b:2", "--discovery", "dns:c:3,interval=5"}).discovery ==
        "static:a:1,b:2;dns:c:3,interval=5");
  const variable all{"TROUPE_DISCOVERY", "mdns:;k8s:service=troupe,port=raft"};
  CHECK(accepted({}).discovery == "mdns:;k8s:service=troupe,port=raft");
}

TEST_CASE("rejects invalid discovery and names the flag", "[options]") {
  for (const auto& given : {words{"--discovery", "pigeon:a:1"}, words{"--discovery", "dns:a:1;pigeon:b"},
                            words{"--discovery", "dns:a:1", "--discovery", "dns:a:1,interval=5"}}) {
    CAPTURE(given);
    CHECK_THAT(refused(given), Contains("--discovery: "));
  }
}

TEST_CASE("the state quota is a size, and off by default", "[options]") {
  CHECK(accepted({}).max_state_bytes == 0);
  CHECK(accepted({"--max-state-bytes", "2GB"}).max_state_bytes == std::uint64_t{2} << 30);
  const variable set("TROUPE_MAX_STATE_BYTES", "1000");
  CHECK(accepted({}).max_state_bytes == 1000);
  CHECK_THAT(refused({"--max-state-bytes", "lots"}), Contains("--max-state-bytes"));
}

TEST_CASE("sizes and counts are whole numbers without sign and overflow", "[options]") {
  for (const auto* flag : {"--max-state-bytes", "--http-memory", "--log-tail-size", "--catch-up-log-size",
                           "--snapshot-log-size", "--snapshot-rate", "--segment-size"})
    for (const auto* text : {"-5", "-1KB", "99999999999999999999", "9000000000TB", "1.5GB", "2XB", "", "GB", "5 5"}) {
      CAPTURE(flag, text);
      CHECK_THAT(refused({flag, text}), Contains(flag) && Contains("a whole number of bytes"));
    }
  for (const auto* flag : {"--log-tail", "--snapshot-entries"})
    for (const auto* text : {"-1", "99999999999999999999", "1.5", "many"}) {
      CAPTURE(flag, text);
      CHECK_THAT(refused({flag, text}), Contains(flag) && Contains("a whole number of at least"));
    }
  CHECK(accepted({"--max-state-bytes", "10kb"}).max_state_bytes == 10'240);
  CHECK(accepted({"--max-state-bytes", "3 MiB"}).max_state_bytes == 3 << 20);
  CHECK(accepted({"--max-state-bytes", "1T"}).max_state_bytes == std::uint64_t{1} << 40);
}

TEST_CASE("sets and checks the limits of HTTP clients", "[options]") {
  const auto chosen = [](const words& given) { return std::get<webserver::options>(parse(given)); };
  CHECK(chosen({}).http_memory == 64 << 20);
  CHECK(chosen({}).http_hosts.empty());
  CHECK_FALSE(chosen({}).probe_port);
  const auto all = chosen({"--http-host", "node1,troupe.example", "--http-memory", "32MB", "--http-connections", "100",
                           "--http-connections-per-address", "10", "--probe-port", "8081"});
  CHECK(all.http_hosts == words{"node1", "troupe.example"});
  CHECK(all.http_memory == 32 << 20);
  CHECK(all.http_connections == 100);
  CHECK(all.http_connections_of_address == 10);
  CHECK(all.probe_port == 8081);
  const variable names{"TROUPE_HTTP_HOST", "a,b"};
  CHECK(chosen({}).http_hosts == words{"a", "b"});
  for (const auto& wrong :
       {words{"--http-host", "a b"}, words{"--http-host", "a:80"}, words{"--http-memory", "1MB"},
        words{"--http-connections", "0"}, words{"--http-connections-per-address", "0"}, words{"--probe-port", "65536"},
        words{"--http-port", "99999"}, words{"--raft-port", "65537"}}) {
    CAPTURE(wrong);
    CHECK_THAT(refused(wrong), Contains(wrong.front()));
  }
}
