// An HTTP key-value store: one process per node.
#include "actors/log.hpp"
#include "actors/log_output.hpp"
#include "examples/webserver/entrance.hpp"
#include "examples/webserver/options.hpp"
#include "runtime/http/server.hpp"
#include "runtime/node.hpp"
#include "runtime/os/out_of_memory.hpp"
#include "runtime/os/stop_signals.hpp"
#include "runtime/os/termination.hpp"
#include "runtime/storage/wal.hpp"
#include "runtime/transport/sockets.hpp"
#include "runtime/transport/transport.hpp"

#include <algorithm>
#include <future>
#include <iostream>
#include <memory>
#include <mutex>
#include <string>
#include <sys/resource.h>
#include <unistd.h>

namespace {

using namespace troupe;
using namespace std::chrono_literals;

/// SIGTERM to the end within ten seconds, three more to leave a cluster: first the requests over HTTP, then what other
/// nodes asked of this one, at which end the rest gets its answer; then what the disk is asked to do, and for the
/// clients to take the answers. Whatever does not keep to it is cut off.
constexpr auto http_grace = 3500ms;
constexpr auto node_grace = 3s;
constexpr auto disk_grace = 1500ms;
constexpr auto answer_grace = 1s;
constexpr auto end_limit = 9300ms;

constexpr int wrong_options = 2;

/// An encoded key takes up to three times its 4 KiB, and there are two of them in a target.
constexpr std::size_t max_header = 64 * 1024;
/// Connections at the probes' own port.
constexpr std::size_t most_probes = 64;

/// The usual soft limit of 1024 open files is less than the HTTP server's connections and the node's links together.
void raise_file_limit() {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
}

/// Why these options must not be served, in terms of flags: the library, which would refuse them too, knows none.
std::string objection(const node_options& node) {
  wal_options log;
  log.segment_size = node.segment_size;
  if (const auto why = objection(log); !why.empty()) return "--segment-size: " + why;
  if (node.transport.tls || node.insecure || net::is_loopback(node.bind)) return {};
  return "refusing to bind " + (node.bind.empty() ? "all interfaces" : node.bind) +
         " without TLS: give --tls-cert, --tls-key and --tls-ca, or --insecure";
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

/// The listener that serves probes and nothing else, so that no crowd at the other one keeps them out.
std::unique_ptr<http::server> listen_to_probes(const webserver::options& chosen,
                                               const std::shared_ptr<webserver::entrance>& door) {
  if (!chosen.probe_port) return nullptr;
  auto listen = listener(chosen);
  listen.port = *chosen.probe_port;
  listen.max_buffered = 1 << 20;
  listen.max_connections = listen.max_connections_of_address = most_probes;
  return std::make_unique<http::server>(listen, [door](http::request asked, http::responder responder) {
    if (!webserver::admit(asked.method, {asked.segments, {}}).probe)
      return responder.send(http::error_response(404, "not_found", "/livez and /readyz are served at this port"));
    door->pass(std::move(asked), std::move(responder));
  });
}

int serve(const webserver::options& chosen, termination& ending) {
  // A port that is taken is found before the node forms a cluster.
  const auto door = std::make_shared<webserver::entrance>();
  const auto listen = listener(chosen);
  http::server server{listen, [door](http::request asked, http::responder responder) {
                        door->pass(std::move(asked), std::move(responder));
                      }};
  const auto probes = listen_to_probes(chosen, door);
  config settings;
  caf::actor_system system{settings};
  auto node = spawn_node(system, chosen.node, map_service{});

  // A part that ends by itself wakes the main thread as a signal from outside would. The first one counts.
  const auto end_of_part = std::make_shared<std::promise<std::string>>();
  const auto on_failure = [end_of_part, first = std::make_shared<std::once_flag>(), &ending](const std::string& why) {
    std::call_once(*first, [&] {
      end_of_part->set_value(why);
      ending.request();
    });
  };
  const webserver::workers workers{system, node.handle(), node.service<map_service>(), door, on_failure};
  const bool tls = chosen.node.transport.tls.has_value();
  log().info("serving HTTP at {} port {}, Raft at {} {} TLS", listen.address, server.port(), node.address(),
             tls ? "with" : "without");
  if (!tls && !net::is_loopback(chosen.node.bind))
    log().warn("--insecure: every client that reaches the raft port can read and change everything");

  ending.wait();
  auto ended = end_of_part->get_future();
  const bool failed = ended.wait_for(0s) == std::future_status::ready;
  log().info("stopping");
  server.drain(http_grace);
  // Requests that still wait are answered by the end of the node: as rejected, where that is certain.
  const bool whole = node.stop(chosen.leave);
  server.stop(answer_grace);
  if (!whole) ending.leave("ended without threads that wait for a disk that does not answer");
  if (!failed) return 0;
  write_to_stderr("webserver: " + ended.get());
  return 1;
}

int run(int argc, char** argv, const stop_signals& signals) {
  termination ending{signals, "webserver", end_limit};
  auto parsed = webserver::parse_options(argc, argv);
  if (const auto* exit = std::get_if<webserver::early_exit>(&parsed)) {
    (exit->code == 0 ? std::cout : std::cerr) << exit->text;
    return exit->code;
  }
  auto& chosen = std::get<webserver::options>(parsed);
  if (const auto why = objection(chosen.node); !why.empty()) {
    std::cerr << "webserver: " << why << "\nRun with --help for more information.\n";
    return wrong_options;
  }
  chosen.node.drain_timeout = node_grace;
  chosen.node.close_timeout = disk_grace;
  if (chosen.leave) ending.set_limit(end_limit + node_grace);
  set_log_level(log_level_of(chosen.log_level));
  raise_file_limit();
  return serve(chosen, ending);
}

} // namespace

int main(int argc, char** argv) {
  const troupe::stop_signals signals;
  troupe::end_process_without_memory("webserver");
  try {
    const int code = run(argc, argv, signals);
    // What such a thread uses must not be destroyed: see transport.hpp.
    if (troupe::net::threads_are_left()) ::_exit(code);
    return code;
  } catch (const std::exception& error) {
    troupe::write_to_stderr(std::string("webserver: ") + error.what());
    return 1;
  }
}
