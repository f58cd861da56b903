// An HTTP key-value store: one process per node.
#include "examples/webserver/entrance.hpp"
#include "examples/webserver/options.hpp"

#include <algorithm>
#include <future>
#include <iostream>
#include <memory>
#include <mutex>
#include <string>
#include <sys/resource.h>
#include <troupe/address.hpp>
#include <troupe/http/server.hpp>
#include <troupe/log.hpp>
#include <troupe/node.hpp>
#include <troupe/process.hpp>
#include <troupe/services/map.hpp>
#include <unistd.h>

namespace {

using namespace troupe;
using namespace std::chrono_literals;

/// The process exits within ten seconds after SIGTERM, or thirteen if it leaves the cluster first. The stages, in
/// order: HTTP requests complete (`http_grace`). Requests from other nodes complete, and the requests that still wait
/// are answered (`node_grace`). The disk completes its writes (`disk_grace`). HTTP clients receive their answers
/// (`answer_grace`). A stage that takes longer is cut off.
constexpr auto http_grace = 3500ms;
constexpr auto node_grace = 3s;
constexpr auto disk_grace = 1500ms;
constexpr auto answer_grace = 1s;
constexpr auto end_limit = 9300ms;

constexpr int wrong_options = 2;

/// A target contains a map's name and a key. Each may have 4 KiB and takes up to three times that when encoded.
constexpr std::size_t max_header = 64 * 1024;
/// The limit of connections to the probe port.
constexpr std::size_t max_probes = 64;

/// Raises the soft limit of open files. The usual 1024 are too few for the HTTP server's connections and the node's
/// links together.
void raise_file_limit() {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
}

/// Returns why these options must not be served, in terms of flags, which the library does not know.
std::string problem_of(const node_options& node) {
  if (!node.transport.tls && !node.insecure && !is_loopback(node.bind))
    return "refusing to bind " + (node.bind.empty() ? "all interfaces" : node.bind) +
           " without TLS: give --tls-cert, --tls-key and --tls-ca, or --insecure";
  return objection(node);
}

http::options listener(const webserver::options& chosen) {
  http::options listen;
  listen.address = chosen.http_bind.value_or(chosen.node.bind);
  if (listen.address.empty()) listen.address = "::";
  listen.port = chosen.http_port;
  listen.host_names = chosen.http_hosts;
  listen.admit = webserver::admit;
  listen.on_error = [](std::string_view why) { log().error("an HTTP request failed: {}", why); };
  listen.max_header = max_header;
  listen.max_buffered = chosen.http_memory;
  listen.max_connections = chosen.http_connections;
  listen.max_connections_of_address =
      chosen.http_connections_of_address.value_or(std::max<std::size_t>(1, chosen.http_connections / 2));
  return listen;
}

/// A listener that serves only probes, so that they get through while the main listener has too many connections.
std::unique_ptr<http::server> listen_to_probes(const webserver::options& chosen,
                                               const std::shared_ptr<webserver::entrance>& entry) {
  if (!chosen.probe_port) return nullptr;
  auto listen = listener(chosen);
  listen.port = *chosen.probe_port;
  listen.max_buffered = 1 << 20;
  listen.max_connections = listen.max_connections_of_address = max_probes;
  return std::make_unique<http::server>(listen, [entry](http::request req, http::responder responder) {
    if (!webserver::admit(req.method, {req.segments, {}}).probe)
      return responder.send(http::error_response(404, "not_found", "this port serves only /livez and /readyz"));
    entry->pass(std::move(req), std::move(responder));
  });
}

int serve(const std::string& program, const webserver::options& chosen, termination& ending) {
  // Listens first: a port that is in use must be noticed before the node forms a cluster.
  const auto entry = std::make_shared<webserver::entrance>();
  const auto listen = listener(chosen);
  http::server server{listen, [entry](http::request req, http::responder responder) {
                        entry->pass(std::move(req), std::move(responder));
                      }};
  const auto probes = listen_to_probes(chosen, entry);
  config settings;
  caf::actor_system system{settings};
  auto node = spawn_node(system, chosen.node, map_service{});

  // A component that fails wakes the main thread as a signal would. Only the first failure is reported.
  const auto failure = std::make_shared<std::promise<std::string>>();
  const auto on_failure = [failure, first = std::make_shared<std::once_flag>(), &ending](const std::string& why) {
    std::call_once(*first, [&] {
      failure->set_value(why);
      ending.request();
    });
  };
  const webserver::workers workers{system, node.handle(), node.service<map_service>(), entry, on_failure};
  const bool tls = chosen.node.transport.tls.has_value();
  log().info("serving HTTP at {} port {}, Raft at {} {} TLS", listen.address, server.port(), node.address(),
             tls ? "with" : "without");
  if (!tls && !is_loopback(chosen.node.bind))
    log().warn("--insecure: every client that reaches the raft port can read and change everything");

  ending.wait();
  auto reason = failure->get_future();
  const bool failed = reason.wait_for(0s) == std::future_status::ready;
  log().info("stopping");
  server.drain(http_grace);
  // The stopping node answers the requests that still wait: as rejected, where that is certain.
  const bool complete = node.stop(chosen.leave);
  server.stop(answer_grace);
  if (!complete) ending.leave("exiting while threads still wait for a disk that does not respond");
  if (!failed) return 0;
  write_to_stderr(program + ": " + reason.get());
  return 1;
}

int run(const std::string& program, int argc, char** argv, const stop_signals& signals) {
  termination ending{signals, program, end_limit};
  auto parsed = webserver::parse_options(argc, argv);
  if (const auto* exit = std::get_if<webserver::early_exit>(&parsed)) {
    (exit->code == 0 ? std::cout : std::cerr) << exit->text;
    return exit->code;
  }
  auto& chosen = std::get<webserver::options>(parsed);
  if (const auto why = problem_of(chosen.node); !why.empty()) {
    std::cerr << program << ": " << why << "\nRun with --help for more information.\n";
    return wrong_options;
  }
  chosen.node.drain_timeout = node_grace;
  chosen.node.close_timeout = disk_grace;
  if (chosen.leave) ending.set_limit(end_limit + node_grace);
  set_log_level(log_level_of(chosen.log_level));
  raise_file_limit();
  return serve(program, chosen, ending);
}

} // namespace

int main(int argc, char** argv) {
  const troupe::stop_signals signals;
  const auto program = troupe::webserver::program_name(argc, argv);
  troupe::end_process_without_memory(program.c_str());
  try {
    const int code = run(program, argc, argv, signals);
    // Skips destructors: what such a thread still uses must not be destroyed, see process.hpp.
    if (troupe::threads_are_left()) ::_exit(code);
    return code;
  } catch (const std::exception& error) {
    troupe::write_to_stderr(program + ": " + error.what());
    return 1;
  }
}
