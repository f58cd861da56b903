#include <troupe/node.hpp>

#include "actors/cluster/endpoint.hpp"
#include "actors/cluster/formation_actor.hpp"
#include "actors/cluster/health_monitor.hpp"
#include "actors/cluster/links.hpp"
#include "actors/frontend/proxy.hpp"
#include "actors/started_parts.hpp"
#include "discovery/spec.hpp"
#include "runtime/data_dir_identity.hpp"
#include "runtime/discovery_sources.hpp"
#include "runtime/node_actor.hpp"
#include "runtime/node_disk.hpp"
#include "runtime/restore.hpp"
#include "runtime/storage/posix_file_system.hpp"
#include "runtime/transport/sockets.hpp"
#include "runtime/transport/transport_links.hpp"

#include <caf/after.hpp>
#include <caf/io/middleman.hpp>

#include <unistd.h>

#include <map>
#include <random>
#include <troupe/log.hpp>
#include <troupe/threads.hpp>

namespace troupe {
namespace {

/// The log opens the files that it needs next ahead of time. The reserved descriptors are for snapshots, for reads of
/// old entries, and for those that other threads use meanwhile.
constexpr std::size_t reserved_descriptors = 8;

/// How long to wait for formation if the disk has already used up the time to close.
constexpr std::chrono::milliseconds formation_grace{100};

std::uint64_t draw_seed() {
  std::random_device source;
  return (std::uint64_t{source()} << 32) | source();
}

std::string advertised(const node_options& options) {
  if (!options.advertise.empty()) return to_string(parse_host_port(options.advertise));
  auto host = options.bind;
  if (host.empty() || host == "0.0.0.0" || host == "::") {
    char name[256] = {};
    if (::gethostname(name, sizeof name - 1) == 0) host = name;
  }
  return to_string(host_port{host, options.raft_port});
}

wal_options log_options(const node_options& options) {
  wal_options log;
  log.segment_size = options.segment_size;
  return log;
}

/// The checksum of the backup that the node was given. Called before anything is created, so that an invalid file
/// leaves no trace. An existing node may not need the backup any more, so then it may be missing or damaged; see
/// is_to_restore.
std::optional<std::uint64_t> backup_of(const node_options& options, const std::vector<machine_factory>& services) {
  if (options.restore.empty()) return {};
  posix_file_system files;
  const bool is_new = !files.exists(options.data_dir / "identity");
  try {
    const auto found = check_backup(files, options.restore, services);
    if (!found && is_new) throw startup_error("there is no backup " + options.restore.string());
    return found;
  } catch (const raft::storage_error& e) {
    if (is_new) throw;
    log().warn("{}", e.what());
    return {};
  }
}

/// After this time without data, a connection is considered broken. It is less than election_max if heartbeats are
/// frequent enough, so that a silent peer is noticed before a node campaigns because of it.
std::chrono::milliseconds silence_limit(caf::actor_system& system, const raft::options& raft) {
  using std::chrono::milliseconds;
  return std::chrono::ceil<milliseconds>(
      std::max<caf::timespan>(raft.election_max * 9 / 10, 3 * heartbeat_interval(system)));
}

std::string names_of(const std::vector<machine_factory>& services) {
  std::string names;
  for (const auto& make : services) names.append(names.empty() ? "" : ", ").append(make()->name());
  return names.empty() ? "none" : names;
}

} // namespace

std::string objection(const node_options& options) {
  if (options.raft_port == 0) return "raft_port must not be 0";
  if (!options.transport.tls && !options.insecure && !is_loopback(unbracketed(options.bind)))
    return "refusing to listen at " + (options.bind.empty() ? "all interfaces" : options.bind) +
           " without TLS: set transport.tls, or set insecure to allow it";
  if (auto why = objection(log_options(options)); !why.empty()) return why;
  if (auto why = objection(options.raft); !why.empty()) return why;
  if (options.ready_lag.count() < 0) return "ready_lag must not be negative";
  if (options.close_timeout.count() < 0) return "close_timeout must not be negative";
  return discovery_problem(options.discovery);
}

/// The parts that end when the node stops.
struct running_parts {
  std::shared_ptr<node_disk> files;
  node_actors around;
  std::chrono::milliseconds close_timeout{};
  std::shared_ptr<net::transport> transport;
  std::vector<discovery_handle> discovery;
};

struct node::parts {
  caf::actor_system& system;
  node_actor_handle handle;
  node_handle public_handle;
  proxy_handle proxy;
  std::string address;
  std::chrono::milliseconds request_timeout{};
  /// By the names of their services.
  std::map<std::string, caf::actor, std::less<>> fronts;
  /// Null after the node was stopped.
  std::unique_ptr<running_parts> running;
};

node::node(std::unique_ptr<parts> inside) : parts_(std::move(inside)) {}
node::node(node&&) noexcept = default;
node& node::operator=(node&& other) noexcept {
  if (this == &other) return *this;
  stop();
  parts_ = std::move(other.parts_);
  return *this;
}
node::~node() { stop(); }

const node_handle& node::handle() const noexcept { return parts_->public_handle; }
const std::string& node::address() const noexcept { return parts_->address; }

const caf::actor& node::front(std::string_view service, detail::front_handlers_maker handlers) {
  auto& front = parts_->fronts[std::string{service}];
  if (!front) {
    front = detail::spawn_front(parts_->system, service, handlers, caf::actor_cast<caf::actor>(parts_->proxy),
                                parts_->request_timeout);
    if (parts_->running) compat::anon_send(parts_->handle, part_started{front, true});
  }
  return front;
}

bool node::stop(bool leave) {
  if (!parts_ || !parts_->running) return true;
  const auto inside = std::move(parts_->running);
  const auto& handle = parts_->handle;
  compat::blocking_self self{parts_->system};
  self.monitor(handle);
  self.monitor(inside->around.formation);
  self.send(handle, stop_node{leave});
  // The node actor ends within a limited time. Formation holds the identity file, and with it the lock of the data
  // directory, and may wait for the disk as well. The node actor has already waited for formation, unless it had
  // nothing else to wait for. In that case it has ended formation only now.
  bool clean = true;
  bool node_ended = false;
  bool formation_ended = false;
  const auto on_end = [&](const caf::down_msg& down) {
    (down.source == handle.address() ? node_ended : formation_ended) = true;
    if (compat::error_code(down.reason) == static_cast<std::uint8_t>(errc::disk_failed)) clean = false;
  };
  while (!node_ended) self.receive(on_end);
  if (!formation_ended)
    self.receive(
        on_end, caf::after(clean ? inside->close_timeout : formation_grace) >> [&] { clean = false; });
  inside->transport->stop_listening();
  // A front ends when its last handle is gone. When the proxy ends, it has answered every command that it had received,
  // so a front knows that all its other calls were surely not done.
  for (const auto& source : inside->discovery) self.send_exit(source, caf::exit_reason::user_shutdown);
  parts_->fronts.clear();
  return clean;
}

// One part after another, each from those before it: parts of it would have to pass on nearly all of them.
// NOLINTNEXTLINE(readability-function-size)
node start_node(caf::actor_system& system, node_options options, std::vector<machine_factory> services) try {
  options.bind = unbracketed(options.bind);
  if (const auto why = objection(options); !why.empty()) throw startup_error(why);
  const auto discovery = parse_discovery(options.discovery);
  const auto sources = make_sources(discovery, options.sources, draw_seed());
  const auto expected = expect_by_default(discovery, options.sources);
  auto inside = std::make_unique<running_parts>();
  // Errors of the options are found before the node forms a cluster or writes anything.
  if (!options.transport.silence_limit) options.transport.silence_limit = silence_limit(system, options.raft);
  const auto dial_policy = net::dial_policy_of(options.transport.tls.has_value(), options.insecure);
  inside->transport = make_transport(system, options.transport, dial_policy);
  inside->transport->listen(options.bind, options.raft_port);
  const auto backup = backup_of(options, services);
  inside->files =
      std::make_shared<node_disk>(std::make_shared<posix_file_system>(reserved_descriptors), options.data_dir);
  if (open_to_others(options.data_dir))
    log().warn("data directory {} is accessible to all users of this machine; restrict it with chmod 700",
               options.data_dir.string());
  std::unique_ptr<node::parts> parts{
      new node::parts{system, {}, {}, {}, advertised(options), options.request_timeout, {}, {}}};
  inside->close_timeout = options.close_timeout;
  const auto& directory = inside->files->directory;
  const bool restores = !options.restore.empty() && is_to_restore(directory, options.restore, backup);

  hello self;
  self.node = directory.id();
  self.incarnation = directory.incarnation();
  self.address = parts->address;
  if (restores) self.backup = *backup;

  node_setup setup;
  setup.id = self.node;
  setup.address = self.address;
  setup.seed = draw_seed();
  setup.raft = options.raft;
  setup.drain_timeout = options.drain_timeout;
  setup.close_timeout = options.close_timeout;
  setup.ready_lag = options.ready_lag;
  setup.expected_members = options.bootstrap_expect.value_or(expected.members);
  setup.open_log = open_disk(inside->files, log_options(options), options.restore);
  setup.snapshots = options.snapshots;
  setup.max_state_bytes = options.max_state_bytes;
  setup.members = options.members;
  if (!setup.members.remove) setup.members.remove = removes_by_default(discovery);
  const auto service_names = names_of(services);
  setup.services = std::move(services);
  setup.network = [net = std::weak_ptr{inside->transport}] {
    const auto transport = net.lock();
    return net::to_network_status(transport ? transport->status() : net::transport_status{});
  };
  started_parts begun{system};
  const auto handle = begun.add(node_actor_handle{system.spawn<node_actor>(std::move(setup))});

  proxy_options proxy_settings;
  proxy_settings.self = self.node;
  proxy_settings.address = self.address;
  proxy_settings.default_timeout = options.request_timeout;
  proxy_settings.max_state_bytes = options.max_state_bytes;
  auto& around = inside->around;
  around.proxy = begun.add(proxy_handle{system.spawn<proxy>(proxy_settings)});
  around.links = begun.add(
      links_handle{system.spawn<links>(self, std::make_shared<transport_links>(inside->transport), draw_seed())});
  formation_setup forming;
  forming.self = self;
  forming.rule.expect = options.bootstrap_expect ? options.bootstrap_expect : expected.rule;
  forming.rule.backup = self.backup;
  forming.seed = draw_seed();
  forming.store = std::shared_ptr<identity_store>{new data_dir_identity{inside->files->directory},
                                                  [keep = inside->files](identity_store* p) { delete p; }};
  forming.links = around.links;
  forming.node = caf::actor_cast<membership_listener>(handle);
  around.formation = begun.add(formation_handle{spawn_with_thread<formation_actor>(system, std::move(forming))});
  around.health = begun.add(health_monitor_handle{
      system.spawn<health_monitor>(self.node, raft::health_options{}, draw_seed(), around.links)});
  around.endpoint = begun.add(
      endpoint_handle{system.spawn<endpoint>(self, around.proxy, around.formation, around.links, around.health)});
  compat::anon_send(handle, around);
  compat::anon_send(around.links, watch_links{caf::actor_cast<link_watcher>(around.proxy)});
  make_reachable(*inside->transport, around.endpoint);
  make_reachable(*inside->transport, around.proxy); // it receives the outcomes of forwarded commands
  parts->handle = handle;
  parts->public_handle = node_handle{handle};
  parts->proxy = around.proxy;
  parts->running = std::move(inside);
  auto& running = *parts->running;
  node result{std::move(parts)}; // from here on it stops all parts
  begun.keep();
  publish(system, *running.transport, options.raft_port,
          caf::actor_cast<caf::strong_actor_ptr>(running.around.endpoint));
  const auto listener = caf::actor_cast<peers_listener>(running.around.links);
  for (const auto& source : sources) {
    auto& started = running.discovery.emplace_back(source->spawn(system, listener));
    compat::anon_send(handle, part_started{caf::actor_cast<caf::actor>(started), false});
  }
  log().info("Troupe " TROUPE_VERSION ": node {} listens at {}, {}; data in {}; services: {}; discovery: {}",
             to_string(self.node), self.address, options.transport.tls ? "with TLS" : "without TLS",
             options.data_dir.string(), service_names, options.discovery.empty() ? "none" : options.discovery);
  return result;
} catch (const startup_error&) {
  throw;
} catch (const std::exception& e) {
  throw startup_error(e.what());
}

} // namespace troupe
