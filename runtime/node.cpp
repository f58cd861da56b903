#include "runtime/node.hpp"

#include "actors/cluster/endpoint.hpp"
#include "actors/cluster/formation_actor.hpp"
#include "actors/cluster/health_monitor.hpp"
#include "actors/cluster/links.hpp"
#include "actors/frontend/proxy.hpp"
#include "actors/log.hpp"
#include "actors/started_parts.hpp"
#include "actors/threads.hpp"
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
#include <caf/scoped_actor.hpp>

#include <unistd.h>

#include <random>

namespace troupe {
namespace {

/// What the log needs to go on to its next file is open ahead of time; these are for snapshots, reads of old entries
/// and whatever another thread takes in between.
constexpr std::size_t reserved_descriptors = 8;

/// For formation, where the disk has used up the time to close already.
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

void check(const node_options& options) {
  if (options.raft_port == 0) throw startup_error("the raft port must not be 0");
  if (!options.transport.tls && !options.insecure && !net::is_loopback(options.bind))
    throw startup_error("refusing to listen at " + (options.bind.empty() ? "all interfaces" : options.bind) +
                        " without TLS: give it certificates, or say that this is meant to be insecure");
  if (const auto why = objection(log_options(options)); !why.empty()) throw startup_error(why);
  if (const auto why = raft::objection(options.raft); !why.empty()) throw startup_error(why);
  if (options.ready_lag.count() < 0 || options.close_timeout.count() < 0)
    throw startup_error("a limit of time must not be negative");
}

/// The backup that the node was given, before anything is made: a file that is no good leaves no trace. To a node that
/// is there it may mean nothing any more, and be gone or damaged: see is_to_restore.
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

/// A peer that has fallen silent is noticed before somebody campaigns for that reason, if the heartbeats are dense
/// enough.
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

struct node::parts {
  std::shared_ptr<node_disk> files;
  surroundings around;
  node_actor_handle handle;
  std::string address;
  std::chrono::milliseconds request_timeout{};
  std::chrono::milliseconds close_timeout{};
  std::shared_ptr<net::transport> transport;
  std::vector<discovery_handle> discovery;
};

node::node(caf::actor_system& system, std::unique_ptr<parts> inside)
    : system_(&system), parts_(std::move(inside)), handle_(parts_->handle), proxy_(parts_->around.proxy),
      address_(parts_->address), request_timeout_(parts_->request_timeout) {}
node::node(node&&) noexcept = default;
node& node::operator=(node&& other) noexcept {
  stop();
  system_ = other.system_;
  parts_ = std::move(other.parts_);
  handle_ = std::move(other.handle_);
  proxy_ = std::move(other.proxy_);
  address_ = std::move(other.address_);
  request_timeout_ = other.request_timeout_;
  fronts_ = std::move(other.fronts_);
  return *this;
}
node::~node() { stop(); }

void node::watch_front(const caf::actor& front) {
  if (parts_) caf::anon_send(parts_->handle, part_started{front, true});
}

bool node::stop(bool leave) {
  if (!parts_) return true;
  const auto inside = std::move(parts_);
  caf::scoped_actor self{*system_};
  self->monitor(handle_);
  self->monitor(inside->around.formation);
  self->send(handle_, stop_node{leave});
  // The node takes a bounded time. Formation keeps the identity file, and with it the lock of the data directory; it
  // may wait for the disk as well. The node has waited for it already, unless it had nothing else to wait for: then it
  // told formation to end only now.
  bool clean = true;
  bool node_ended = false;
  bool formation_ended = false;
  const auto note_end = [&](const caf::down_msg& down) {
    (down.source == handle_.address() ? node_ended : formation_ended) = true;
    if (compat::error_code(down.reason) == static_cast<std::uint8_t>(errc::disk_failed)) clean = false;
  };
  while (!node_ended) self->receive(note_end);
  if (!formation_ended)
    self->receive(
        note_end, caf::after(clean ? inside->close_timeout : formation_grace) >> [&] { clean = false; });
  inside->transport->stop_listening();
  // Fronts are not told to end: they hear of the end of the proxy, which has answered what it knew of, so that the rest
  // was surely not done. They end with their last handle.
  for (const auto& source : inside->discovery) self->send_exit(source, caf::exit_reason::user_shutdown);
  fronts_.clear();
  return clean;
}

node start_node(caf::actor_system& system, node_options options, std::vector<machine_factory> services) try {
  options.bind = unbracketed(options.bind);
  check(options);
  const auto discovery = parse_discovery(options.discovery);
  const auto sources = make_sources(discovery, options.sources, draw_seed());
  const auto expected = expect_by_default(discovery, options.sources);
  auto inside = std::make_unique<node::parts>();
  // Whatever cannot work is found before anything is formed or written.
  if (!options.transport.silence_limit) options.transport.silence_limit = silence_limit(system, options.raft);
  const auto dials = net::dial_policy_of(options.transport.tls.has_value(), options.insecure);
  inside->transport = make_transport(system, options.transport, dials);
  inside->transport->listen(options.bind, options.raft_port);
  const auto backup = backup_of(options, services);
  inside->files =
      std::make_shared<node_disk>(std::make_shared<posix_file_system>(reserved_descriptors), options.data_dir);
  if (open_to_others(options.data_dir))
    log().warn("data directory {} can be accessed by all users of this machine; chmod 700 would end that",
               options.data_dir.string());
  inside->address = advertised(options);
  inside->request_timeout = options.request_timeout;
  inside->close_timeout = options.close_timeout;
  const auto& directory = inside->files->directory;
  const bool restores = !options.restore.empty() && is_to_restore(directory, options.restore, backup);

  hello self;
  self.node = directory.id();
  self.incarnation = directory.incarnation();
  self.address = inside->address;
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
    return transport ? transport->status() : net::transport_status{};
  };
  started_parts begun{system};
  inside->handle = begun.add(node_actor_handle{system.spawn<node_actor>(std::move(setup))});

  proxy_options front_door;
  front_door.self = self.node;
  front_door.address = self.address;
  front_door.default_timeout = options.request_timeout;
  front_door.max_state_bytes = options.max_state_bytes;
  auto& around = inside->around;
  around.proxy = begun.add(proxy_handle{system.spawn<proxy>(front_door)});
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
  forming.node = caf::actor_cast<membership_listener>(inside->handle);
  around.formation = begun.add(formation_handle{spawn_with_thread<formation_actor>(system, std::move(forming))});
  around.health = begun.add(health_monitor_handle{
      system.spawn<health_monitor>(self.node, raft::health_options{}, draw_seed(), around.links)});
  around.endpoint = begun.add(
      endpoint_handle{system.spawn<endpoint>(self, around.proxy, around.formation, around.links, around.health)});
  caf::anon_send(inside->handle, around);
  caf::anon_send(around.links, watch_links{caf::actor_cast<link_watcher>(around.proxy)});
  make_reachable(*inside->transport, around.endpoint);
  make_reachable(*inside->transport, around.proxy); // outcomes of what it forwarded
  node result{system, std::move(inside)};           // stops all of it from here on
  begun.keep();
  publish(system, *result.parts_->transport, options.raft_port,
          caf::actor_cast<caf::strong_actor_ptr>(result.parts_->around.endpoint));
  const auto listener = caf::actor_cast<peers_listener>(result.parts_->around.links);
  for (const auto& source : sources) {
    auto& started = result.parts_->discovery.emplace_back(source->spawn(system, listener));
    caf::anon_send(result.parts_->handle, part_started{caf::actor_cast<caf::actor>(started), false});
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
