// An HTTP key-value store: one process per node.
#include "actors/log.hpp"
#include "examples/webserver/gateway.hpp"
#include "examples/webserver/options.hpp"
#include "runtime/http/server.hpp"
#include "runtime/node.hpp"

#include <caf/send.hpp>

#include <csignal>
#include <future>
#include <iostream>
#include <memory>
#include <sys/resource.h>
#include <unistd.h>

namespace {

using namespace troupe;
using namespace std::chrono_literals;

/// SIGTERM to the end within ten seconds: first the requests over HTTP, then what other nodes asked of this one.
constexpr auto http_grace = 5s;
constexpr auto node_grace = 3s;

/// An encoded key takes up to three times its 4 KiB, and there are two of them in a target.
constexpr std::size_t max_header = 64 * 1024;
/// Two values of 1 MiB, three times as long where an encoder escapes all that is not ASCII, and room for white space.
constexpr std::size_t max_body = 8 * 1024 * 1024;

/// Blocks the signals that end the program, here and in every thread that is started later.
sigset_t block_signals() {
  std::signal(SIGPIPE, SIG_IGN);
  sigset_t ending;
  sigemptyset(&ending);
  sigaddset(&ending, SIGTERM);
  sigaddset(&ending, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ending, nullptr);
  return ending;
}

/// The usual soft limit of 1024 open files is less than the HTTP server's connections and the node's links together.
void raise_file_limit() {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
}

int serve(const webserver::options& chosen, const sigset_t& ending) {
  config settings;
  caf::actor_system system{settings};
  auto node = spawn_node(system, chosen.node, map_service{});

  // A node that ends by itself wakes the main thread as a signal from outside would.
  const auto end_of_node = std::make_shared<std::promise<std::string>>();
  const auto on_end = [end_of_node](std::string why) {
    end_of_node->set_value(std::move(why));
    kill(getpid(), SIGTERM);
  };
  const auto gateway = system.spawn<webserver::gateway>(node.handle(), node.service<map_service>(), on_end);

  http::options listen;
  listen.address = chosen.node.bind.empty() ? "::" : chosen.node.bind;
  listen.port = chosen.http_port;
  listen.max_header = max_header;
  listen.max_body = max_body;
  http::server server{listen, [gateway](http::request asked, http::responder responder) {
                        auto what = webserver::route(std::move(asked));
                        caf::anon_send(gateway, webserver::http_call{std::move(what), std::move(responder)});
                      }};
  log().info("serving HTTP at {} port {}, Raft at {}", listen.address, server.port(), node.address());

  int received = 0;
  sigwait(&ending, &received);
  auto ended = end_of_node->get_future();
  const bool failed = ended.wait_for(0s) == std::future_status::ready;
  log().info("stopping");
  server.stop(http_grace);
  node.stop();
  caf::anon_send_exit(gateway, caf::exit_reason::user_shutdown);
  if (!failed) return 0;
  std::cerr << "webserver: the node ended: " << ended.get() << '\n';
  return 1;
}

int run(int argc, char** argv) {
  auto parsed = webserver::parse_options(argc, argv);
  if (const auto* exit = std::get_if<webserver::early_exit>(&parsed)) {
    (exit->code == 0 ? std::cout : std::cerr) << exit->text;
    return exit->code;
  }
  auto& chosen = std::get<webserver::options>(parsed);
  chosen.node.drain_timeout = node_grace;
  log().set_level(spdlog::level::from_str(chosen.log_level));
  const auto ending = block_signals();
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
