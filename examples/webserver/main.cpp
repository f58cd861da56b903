// An HTTP key-value store: one process per node.
#include "actors/log.hpp"
#include "examples/webserver/gateway.hpp"
#include "examples/webserver/options.hpp"
#include "runtime/http/server.hpp"
#include "runtime/node.hpp"
#include "runtime/storage/wal.hpp"
#include "runtime/termination.hpp"
#include "runtime/transport/sockets.hpp"

#include <caf/send.hpp>

#include <csignal>
#include <future>
#include <iostream>
#include <memory>
#include <mutex>
#include <sys/resource.h>

namespace {

using namespace troupe;
using namespace std::chrono_literals;

/// SIGTERM to the end within ten seconds, three more to leave a cluster: first the requests over HTTP, then what other
/// nodes asked of this one, then what the disk is asked to do. Whatever does not keep to it is cut off.
constexpr auto http_grace = 5s;
constexpr auto node_grace = 3s;
constexpr auto disk_grace = 1500ms;
constexpr auto end_limit = 9300ms;

constexpr int wrong_options = 2;

/// An encoded key takes up to three times its 4 KiB, and there are two of them in a target.
constexpr std::size_t max_header = 64 * 1024;
/// Two values of 1 MiB, three times as long where an encoder escapes all that is not ASCII, and room for white space.
constexpr std::size_t max_body = 8 * 1024 * 1024;

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

/// Lets requests through once there is somebody to serve them. Thread-safe.
class entrance {
 public:
  void open(webserver::gateway_handle to) {
    const std::lock_guard lock{mutex_};
    to_ = std::move(to);
  }
  void pass(http::request asked, http::responder responder) {
    const std::lock_guard lock{mutex_};
    if (!to_) return responder.send(http::error_response(503, "not_ready", "the node is starting", "rejected", true));
    caf::anon_send(to_, webserver::http_call{webserver::route(std::move(asked)), std::move(responder)});
  }

 private:
  std::mutex mutex_;
  webserver::gateway_handle to_;
};

int serve(const webserver::options& chosen, termination& ending) {
  // A port that is taken is found before the node forms a cluster.
  http::options listen;
  listen.address = chosen.http_bind.value_or(chosen.node.bind);
  if (listen.address.empty()) listen.address = "::";
  listen.port = chosen.http_port;
  listen.max_header = max_header;
  listen.max_body = max_body;
  const auto door = std::make_shared<entrance>();
  http::server server{listen, [door](http::request asked, http::responder responder) {
                        door->pass(std::move(asked), std::move(responder));
                      }};
  config settings;
  caf::actor_system system{settings};
  auto node = spawn_node(system, chosen.node, map_service{});

  // A node that ends by itself wakes the main thread as a signal from outside would.
  const auto end_of_node = std::make_shared<std::promise<std::string>>();
  const auto on_end = [end_of_node, &ending](std::string why) {
    end_of_node->set_value(std::move(why));
    ending.request();
  };
  const auto gateway = system.spawn<webserver::gateway>(node.handle(), node.service<map_service>(), on_end);

  door->open(gateway);
  const bool tls = chosen.node.transport.tls.has_value();
  log().info("serving HTTP at {} port {}, Raft at {} {} TLS", listen.address, server.port(), node.address(),
             tls ? "with" : "without");
  if (!tls && !net::is_loopback(chosen.node.bind))
    log().warn("--insecure: whoever reaches the raft port can read and change everything");

  ending.wait();
  auto ended = end_of_node->get_future();
  const bool failed = ended.wait_for(0s) == std::future_status::ready;
  log().info("stopping");
  server.stop(http_grace);
  door->open({});
  if (!node.stop(chosen.leave)) ending.leave("ended without threads that wait for a disk that does not answer");
  caf::anon_send_exit(gateway, caf::exit_reason::user_shutdown);
  if (!failed) return 0;
  std::cerr << "webserver: the node ended: " << ended.get() << '\n';
  return 1;
}

int run(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  termination ending{"webserver", end_limit};
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
  log().set_level(spdlog::level::from_str(chosen.log_level));
  raise_file_limit();
  return serve(chosen, ending);
}

} // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "webserver: " << error.what() << '\n';
    return 1;
  }
}
