// Links over real sockets: to another process, to a listener that never answers, and to an address without a listener.
#include "actors/caf_io.hpp"
#include "actors/cluster/endpoint.hpp"
#include "actors/cluster/links.hpp"
#include "actors/discovery/static_loop.hpp"
#include "runtime/transport/connector.hpp"
#include "runtime/transport/transport_links.hpp"

#include <caf/io/middleman.hpp>
#include <caf/scoped_actor.hpp>
#include <catch2/catch.hpp>

#include <arpa/inet.h>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <dlfcn.h>
#include <mutex>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <semaphore>
#include <string_view>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include <troupe/config.hpp>

namespace {

using namespace troupe;
using namespace std::chrono_literals;

/// While an object exists, resolving "slow.test" blocks.
struct slow_names {
  slow_names() { asked = 0, held.lock(); }
  ~slow_names() { held.unlock(); }
  static inline std::mutex held;
  static inline std::atomic<int> asked = 0;
};

/// Resolving "late.test" blocks until `late_found` is released, and then finds this machine.
std::binary_semaphore late_asked{0}, late_found{0};

/// The address of "moves.test" is this digit after 127.0.0.; with '0' the name does not resolve.
std::atomic<char> moving_name = '0';

} // namespace

extern "C" int getaddrinfo(const char* name, const char* service, const addrinfo* hints, addrinfo** found) {
  using function = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
  static const auto systems = reinterpret_cast<function>(::dlsym(RTLD_NEXT, "getaddrinfo"));
  if (name && std::string_view{name} == "moves.test") {
    if (moving_name == '0') return EAI_NONAME;
    return systems((std::string{"127.0.0."} + moving_name.load()).c_str(), service, hints, found);
  }
  if (name && std::string_view{name} == "late.test") {
    late_asked.release();
    late_found.acquire();
    return systems("127.0.0.1", service, hints, found);
  }
  if (!name || std::string_view{name} != "slow.test") return systems(name, service, hints, found);
  ++slow_names::asked;
  const std::lock_guard wait(slow_names::held);
  return EAI_NONAME;
}

namespace {

class silent : public compat::untyped_base {
 public:
  using compat::untyped_base::untyped_base;
  caf::behavior make_behavior() override {
    drop_unexpected();
    return {[](const flush&) {}};
  }
};

hello who(std::uint64_t id) {
  hello h;
  h.node = {id};
  h.incarnation = id;
  h.address = "127.0.0.1:1";
  return h;
}

struct served {
  std::shared_ptr<net::transport> transport;
  links_handle links;
  endpoint_handle endpoint;
  caf::actor rest;
  std::uint16_t port = 0;
  void end() const {
    transport->stop_listening();
    caf::anon_send_exit(endpoint, caf::exit_reason::user_shutdown);
    caf::anon_send_exit(links, caf::exit_reason::user_shutdown);
    caf::anon_send_exit(rest, caf::exit_reason::user_shutdown);
  }
};

/// Spawns links and a published endpoint of node `id`.
served serve(caf::actor_system& system, std::uint64_t id) {
  auto transport = make_transport(system, {});
  auto links = system.spawn<troupe::links>(who(id), std::make_shared<transport_links>(transport), id);
  auto rest = system.spawn<silent>();
  auto endpoint = system.spawn<troupe::endpoint>(who(id), caf::actor_cast<proxy_handle>(rest),
                                                 caf::actor_cast<formation_handle>(rest), links,
                                                 caf::actor_cast<health_monitor_handle>(rest));
  transport->options().guard.receivers->add(endpoint.id());
  const auto port = transport->listen("127.0.0.1", 0);
  publish(system, *transport, port, caf::actor_cast<caf::strong_actor_ptr>(endpoint));
  return {transport, links, endpoint, rest, port};
}

/// Another process with a node, which runs until it is killed.
struct child {
  pid_t pid = -1;
  std::uint16_t port = 0;
  child() {
    int pipe_ends[2];
    REQUIRE(::pipe(pipe_ends) == 0);
    pid = ::fork();
    if (pid == 0) {
      troupe::config config;
      caf::actor_system system{config};
      const auto mine = serve(system, 2).port;
      if (::write(pipe_ends[1], &mine, sizeof mine) != sizeof mine) ::_exit(1);
      while (true) ::pause();
    }
    REQUIRE(::read(pipe_ends[0], &port, sizeof port) == sizeof port);
    ::close(pipe_ends[0]);
    ::close(pipe_ends[1]);
  }
  void kill() {
    if (pid <= 0) return;
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    pid = -1;
  }
  ~child() { kill(); }
};

/// Ends a system while it dials. The name resolves after CAF's broker has ended, so the connection is not accepted.
[[noreturn]] void end_while_dialing(std::uint16_t port) {
  {
    troupe::config config;
    caf::actor_system system{config};
    connector_handle connector = system.spawn<troupe::connector>("late.test", port, make_transport(system, {}));
    caf::scoped_actor self{system};
    self->send(connector, dial{});
    late_asked.acquire();
    self->send_exit(connector, caf::exit_reason::user_shutdown);
    caf::actor_cast<caf::abstract_actor*>(compat::basp_broker(system))->attach_functor([] { late_found.release(); });
  }
  ::_exit(0);
}

/// A listening socket from which no connection is accepted.
struct mute_listener {
  int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  std::uint16_t port = 0;
  mute_listener() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(::listen(fd, 4) == 0);
    REQUIRE(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port = ntohs(address.sin_port);
  }
  ~mute_listener() { ::close(fd); }
};

} // namespace

TEST_CASE("an actor system ends while a connection is being opened", "[connector]") {
  child other;
  const auto pid = ::fork(); // in a process of its own, as a system that does not end would block this one
  if (pid == 0) end_while_dialing(other.port);
  const auto ended = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  pollfd one{ended, POLLIN, 0};
  CHECK(::poll(&one, 1, 10'000) == 1);
  ::kill(pid, SIGKILL);
  int status = -1;
  CHECK(::waitpid(pid, &status, 0) == pid);
  CHECK(status == 0);
  ::close(ended);
}

TEST_CASE("a name that does not resolve in time uses one thread, however often it is dialed", "[connector]") {
  troupe::config config;
  caf::actor_system system{config};
  net::transport_options impatient;
  impatient.resolve_deadline = 50ms;
  slow_names held;
  connector_handle connector =
      system.spawn<troupe::connector>("slow.test", std::uint16_t{1}, std::make_shared<net::transport>(impatient));
  caf::scoped_actor self{system};
  std::vector<std::string> problems;
  for (int i = 0; i < 3; ++i)
    self->request(connector, 10s, dial{})
        .receive([](const dialed&) {},
                 [&](const caf::error& e) {
                   CHECK(e == caf::sec::cannot_connect_to_node); // a timeout would mean that the connector hangs
                   problems.push_back(to_text(system, e));
                 });
  CHECK(problems == std::vector<std::string>(3, "cannot resolve slow.test: timed out"));
  CHECK(slow_names::asked == 1);
  self->send_exit(connector, caf::exit_reason::user_shutdown);
}

TEST_CASE("a name of static discovery is resolved again until it leads to a node", "[connector]") {
  child other;
  REQUIRE(other.port != 0);
  troupe::config config;
  caf::actor_system system{config};
  const auto own = serve(system, 1);
  const auto address = "moves.test:" + std::to_string(other.port);
  caf::scoped_actor self{system};
  static_source source{{{parse_host_port(address)}}};
  const auto discovery = source.spawn(system, caf::actor_cast<peers_listener>(own.links));
  self->send(own.links, watch_peers{caf::actor_cast<peers_watcher>(self)});
  const auto problem_contains = [&](const std::string& words) {
    std::string problem;
    for (int i = 0; i < 1000 && problem.find(words) == std::string::npos; ++i) {
      // Poll, since a repeated failure of a dial sends no new view.
      self->request(own.links, 10s, get_peers{})
          .receive([&](const peer_list& list) { problem = list.peers.empty() ? "" : list.peers.front().problem; },
                   [&](const caf::error& e) { problem = to_text(system, e); });
      std::this_thread::sleep_for(10ms); // nap: there is nothing to wait for but the next dial
    }
    return problem;
  };
  CHECK_THAT(problem_contains("resolve"), Catch::Matchers::Contains("cannot resolve moves.test"));
  moving_name = '9'; // no process listens there
  CHECK_THAT(problem_contains("refused"), Catch::Matchers::Contains("refused"));
  moving_name = '1';
  bool up = false, late = false;
  while (!up && !late)
    self->receive([&](const peers_view& v) { up = !v.peers.empty(); }, caf::after(10s) >> [&] { late = true; });
  CHECK(up);
  self->send_exit(discovery, caf::exit_reason::user_shutdown);
  own.end();
}

TEST_CASE("a link to another process comes up, and goes down when the process is killed", "[connector]") {
  child other; // forked before this process has threads
  REQUIRE(other.port != 0);
  troupe::config config;
  caf::actor_system system{config};
  const auto own = serve(system, 1);
  const auto& links = own.links;
  mute_listener mute;
  const std::string other_address = "localhost:" + std::to_string(other.port);
  const std::string own_address = "127.0.0.1:" + std::to_string(own.port);
  const std::string mute_address = "127.0.0.1:" + std::to_string(mute.port);

  caf::scoped_actor self{system};
  self->send(links, watch_links{caf::actor_cast<link_watcher>(self)});
  self->send(links, watch_peers{caf::actor_cast<peers_watcher>(self)});
  self->send(links, peers_changed{"test", {other_address, own_address, mute_address, "bad", "[::1]:1"}});
  bool up = false, down = false;
  peers_view view;
  const auto until = [&](auto done) {
    for (bool late = false; !late && !done();)
      self->receive([&](const link_up& m) { up = m.peer.node == node_id{2}; }, [&](const link_down&) { down = true; },
                    [&](const peers_view& v) { view = v; }, caf::after(10s) >> [&] { late = true; });
    return done();
  };
  CHECK(until([&] { return up; }));
  CHECK(until([&] { return view.discovered && view.unanswered == 3; }));
  CHECK(view.listed == 2);
  other.kill();
  CHECK(until([&] { return down; }));

  // A dial of the silent listener ends at its own deadline and reports that.
  std::string problem;
  net::transport_options impatient;
  impatient.dial_deadline = 2s;
  connector_handle connector =
      system.spawn<troupe::connector>("127.0.0.1", mute.port, std::make_shared<net::transport>(impatient));
  self->request(connector, 10s, dial{})
      .receive([](const dialed&) {}, [&](const caf::error& e) { problem = to_text(system, e); });
  CHECK_THAT(problem, Catch::Matchers::Contains("does not answer in time"));
  // The connector works after a failure.
  self->request(connector, 10s, dial{}).receive([](const dialed&) {}, [&](const caf::error&) { problem = "again"; });
  CHECK(problem == "again");
  self->send_exit(connector, caf::exit_reason::user_shutdown);
  own.end();
}
