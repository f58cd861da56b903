#include "tests/actor/cluster_world.hpp"

#include "actors/cluster/endpoint.hpp"
#include "actors/cluster/health_monitor.hpp"
#include "actors/frontend/proxy.hpp"
#include "runtime/storage/snapshot_dir.hpp"
#include "runtime/storage/snapshot_format.hpp"
#include "tests/actor/cluster_disk.hpp"

#include <algorithm>
#include <iostream>
#include <troupe/log.hpp>

namespace troupe::test {

namespace {

constexpr raft::cluster_id the_cluster{77};
constexpr std::size_t kept_lines = 400;

raft::configuration everybody() {
  raft::configuration all;
  for (const auto id : cluster_world::ids()) all.voters.push_back({id, "node" + std::to_string(id.value) + ":1"});
  return all;
}

} // namespace

/// Replaces formation: tells the node that the three nodes form a cluster, and ignores everything else.
class agreed_formation : public compat::untyped_base {
 public:
  agreed_formation(caf::actor_config& config, cluster_world& world, node_id id, node_actor_handle node)
      : compat::untyped_base(config), world_(world), id_(id), node_(std::move(node)) {
    drop_unexpected();
  }
  caf::behavior make_behavior() override {
    send(node_, membership_decision{the_cluster, everybody(), false});
    node_ = nullptr;
    return {
        [](const formed_now&) {},
        [this](const set_wants_to_join& m) { world_.members_.at(id_).wants_to_join = m.yes; },
    };
  }

 private:
  cluster_world& world_;
  node_id id_;
  node_actor_handle node_;
};

/// Takes the endpoint's place for the replica: records the roles and forwards everything to the endpoint.
class news_tap : public compat::untyped_base {
 public:
  news_tap(caf::actor_config& config, cluster_world& world, hello self, endpoint_handle behind)
      : compat::untyped_base(config), world_(world), self_(std::move(self)), behind_(std::move(behind)) {
    link_to(behind_);
  }
  caf::behavior make_behavior() override {
    return {
        [this](const role_changed& m) {
          world_.on_role(self_.node, self_.incarnation, m);
          send(behind_, m);
        },
        [this](const replicator_started& m) { send(behind_, m); },
        [this](const leader_known& m) { send(behind_, m); },
        [this](const replica_down& m) { send(behind_, m); },
        [this](const staging_known& m) { send(behind_, m); },
    };
  }

 private:
  cluster_world& world_;
  hello self_;
  endpoint_handle behind_;
};

/// The access of one process to the disk of its node.
class opened_disk : public raft::storage {
 public:
  opened_disk(cluster_world& world, std::shared_ptr<disk> on)
      : world_(world), on_(std::move(on)), process_(on_->process) {}

  void apply(const raft::write& change) override {
    check();
    on_->memory.apply(change);
    if (change.reset_to) on_->durable = change.reset_to->index;
    if (change.truncate_from) on_->durable = std::min(on_->durable, *change.truncate_from - 1);
  }
  void sync() override {
    check();
    if (std::exchange(on_->breaks, false)) on_->memory.fail();
    if (on_->exhausted) throw raft::storage_error("no space is left", true);
    on_->memory.sync();
    on_->durable = on_->memory.contents().last_index;
  }
  std::vector<raft::entry> read(index_t first, index_t last, std::size_t max_bytes) override {
    check();
    return on_->memory.read(first, last, max_bytes);
  }
  void compact(index_t up_to) override {
    check();
    on_->memory.compact(up_to);
  }
  bool has_room() override {
    check();
    return on_->memory.has_room();
  }

 private:
  void check() {
    if (process_ != on_->process) throw raft::storage_error("the process was killed");
    on_->user = world_.running_;
  }

  cluster_world& world_;
  std::shared_ptr<disk> on_;
  std::uint64_t process_;
};

/// A map whose replies are compared with those of every other node, command by command.
class recording_machine : public detail::machine {
 public:
  recording_machine(cluster_world& world, node_id at)
      : world_(world), at_(at), map_(detail::make_machine(map_service{})) {
    ++world_.members_.at(at).services;
    world_.members_.at(at).applied = 0;
  }
  std::string_view name() const noexcept override { return map_->name(); }
  detail::reply apply(std::string_view tag, std::string_view payload, const apply_context& context) override {
    if (std::exchange(world_.members_.at(at_).service_throws, false)) throw std::runtime_error("a bug in the service");
    if (context.index <= last_) world_.problems_.push_back("an index was applied twice, or out of order");
    last_ = context.index;
    auto reply = map_->apply(tag, payload, context);
    std::string what{tag};
    what.append(payload).append(1, static_cast<char>(reply.status)).append(reply.payload);
    world_.on_apply(at_, context.index, what);
    return reply;
  }
  detail::reply query(std::string_view tag, std::string_view payload) const override {
    return map_->query(tag, payload);
  }
  std::unique_ptr<detail::machine_view> view() const override { return map_->view(); }
  void load(detail::snapshot_source& from) override { map_->load(from); }

 private:
  cluster_world& world_;
  node_id at_;
  std::unique_ptr<detail::machine> map_;
  index_t last_ = 0;
};

/// Opens a node's data, as `open_state` does, but with a log in memory.
opened_log cluster_world::open(const std::shared_ptr<disk>& on, const std::vector<machine_factory>& services) {
  opened_log opened;
  if (on->exhausted) throw raft::storage_error("no space is left", true);
  auto snapshots = std::shared_ptr<snapshot_dir>{new snapshot_dir{*on->files, "/snapshots", the_cluster},
                                                 [files = on->files](snapshot_dir* p) { delete p; }};
  if (const auto here = snapshots->list(); !here.empty()) {
    opened.disk.snapshot.emplace();
    opened.machines = load_machines(*snapshots, here.front(), services, *opened.disk.snapshot);
    const auto last = opened.disk.snapshot->last;
    if (const auto found = on->memory.read(last.index, last.index, SIZE_MAX);
        on->memory.contents().start != last && (found.empty() || found.front().term != last.term)) {
      raft::write reset;
      reset.reset_to = last;
      on->memory.apply(reset);
      on->memory.sync();
    }
  }
  const auto snapshot = opened.disk.snapshot;
  opened.disk = on->memory.contents();
  opened.disk.snapshot = snapshot;
  opened.disk.state_lost = !snapshot && opened.disk.start.index > 0;
  opened.disk.has_room = on->memory.has_room();
  if (snapshot) opened.snapshot = snapshots->list().front();
  if (!snapshot) opened.machines = make_machines(services);
  opened.snapshots = std::move(snapshots);
  opened.staged = std::shared_ptr<snapshot_dir>{new snapshot_dir{*on->files, "/staged", {}},
                                                [files = on->files](snapshot_dir* p) { delete p; }};
  opened.storage = std::make_unique<opened_disk>(*this, on);
  return opened;
}

cluster_world::cluster_world(std::uint64_t seed, weather how)
    : random_(seed), wire_(system, random_.next(), [this](const std::string& line) { note(line); }) {
  set_log_level(log_level::off);
  wire_.set(how);
  for (const auto id : ids()) {
    members_[id].storage = std::make_shared<disk>();
    start(id);
  }
}

cluster_world::~cluster_world() {
  if (close() == 0) return;
  // Otherwise the system would wait for the remaining actors forever.
  system.await_actors_before_shutdown(false);
}

void cluster_world::start(node_id id) {
  auto& m = members_.at(id);
  m.up = true;
  m.ended.reset();
  m.wants_to_join = false;
  ++m.incarnation;
  hello self;
  self.node = id;
  self.incarnation = m.incarnation;
  self.state = membership_state::formed;
  self.cluster = the_cluster;
  self.address = "node" + std::to_string(id.value) + ":1";

  node_setup setup;
  setup.id = id;
  setup.address = self.address;
  setup.seed = random_.next();
  setup.detach_log = false;
  setup.open_log = [this, on = m.storage](const membership_decision&, const std::vector<machine_factory>& services,
                                          const std::stop_token&) { return open(on, services); };
  setup.raft.log_tail = log_tail_;
  if (m.has_services) setup.services.push_back([this, id] { return std::make_unique<recording_machine>(*this, id); });
  m.node = system.spawn<node_actor>(std::move(setup));

  proxy_options front_door;
  front_door.self = id;
  front_door.address = self.address;
  m.around.proxy = system.spawn<proxy>(front_door);
  m.around.links = wire_.spawn_links(self);
  m.around.formation = caf::actor_cast<formation_handle>(system.spawn<agreed_formation>(*this, id, m.node));
  m.around.health = system.spawn<health_monitor>(id, raft::health_options{}, random_.next(), m.around.links);
  m.endpoint = system.spawn<endpoint>(self, m.around.proxy, m.around.formation, m.around.links, m.around.health);
  const auto tap = system.spawn<news_tap>(*this, self, m.endpoint);
  m.news = tap.id();
  m.around.endpoint = caf::actor_cast<endpoint_handle>(tap);
  m.front = caf::actor_cast<service_actor<map_service>>(
      detail::spawn_front(system, map_service::name, &detail::make_front_handlers<map_service>,
                          caf::actor_cast<caf::actor>(m.around.proxy), 5s));
  caf::actor_cast<caf::actor>(m.node)->attach_functor(
      [this, id, incarnation = m.incarnation](const caf::error& why) { on_node_end(id, incarnation, why); });
  compat::anon_send(m.node, m.around);
  wire_.join(self, m.endpoint, m.around.proxy);
  note("start " + std::to_string(id.value));
}

void cluster_world::kill(node_id id, std::size_t keep) {
  auto& m = members_.at(id);
  note("kill " + std::to_string(id.value) + " unsynced " + std::to_string(m.storage->memory.unsynced()));
  m.up = false;
  wire_.leave(id);
  ++m.storage->process;
  m.storage->user = 0;
  m.storage->durable = m.storage->memory.crash(keep).last_index;
  m.storage->files = m.storage->files->crashed([] { return false; });
  const auto end = [](const auto& actor) { caf::anon_send_exit(actor, caf::exit_reason::kill); };
  end(m.front);
  end(m.around.proxy);
  end(m.endpoint);
  end(m.around.endpoint);
  end(m.around.links);
  end(m.around.formation);
  end(m.around.health);
  end(m.node);
  m.node = nullptr;
  m.front = nullptr;
  m.endpoint = nullptr;
  m.around = {};
  m.news = 0;
  m.role = 0;
  m.service = 0;
}

std::size_t cluster_world::close() {
  disk_paces_.clear();
  role_paces_.clear();
  news_paces_.clear();
  service_paces_.clear();
  for (const auto id : ids())
    if (members_.at(id).up) kill(id);
  wire_.clear();
  // Delayed messages keep their receivers alive: let all of them become due.
  for (int i = 0; i < 20; ++i) {
    jobs().advance_time(1s);
    work(any_pace);
  }
  return running();
}

void cluster_world::run(std::chrono::milliseconds time) {
  for (work(any_pace); time.count() > 0; --time) {
    jobs().advance_time(1ms);
    wire_.tick(now());
    for (auto* paces : {&disk_paces_, &role_paces_, &news_paces_, &service_paces_})
      for (auto& [id, p] : *paces) p.left = p.per_ms;
    work(any_pace);
  }
}

void cluster_world::pace_disk(node_id id, std::size_t per_ms) { disk_paces_[id] = {per_ms, per_ms}; }
void cluster_world::pace_role(node_id id, std::size_t per_ms) { role_paces_[id] = {per_ms, per_ms}; }
void cluster_world::pace_news(node_id id, std::size_t per_ms) { news_paces_[id] = {per_ms, per_ms}; }
void cluster_world::pace_service(node_id id, std::size_t per_ms) { service_paces_[id] = {per_ms, per_ms}; }
void cluster_world::break_disk(node_id id) { members_.at(id).storage->breaks = true; }
void cluster_world::fill_disk(node_id id, bool full) {
  members_.at(id).storage->memory.set_room(!full);
  if (!full) members_.at(id).storage->exhausted = false;
}
void cluster_world::exhaust_disk(node_id id) { members_.at(id).storage->exhausted = true; }

std::shared_ptr<memory_file_system> cluster_world::snapshot_files_of(node_id id) const {
  return members_.at(id).storage->files;
}

std::filesystem::path cluster_world::newest_snapshot(node_id id) const {
  const auto here = snapshot_dir{*snapshot_files_of(id), "/snapshots", the_cluster}.list();
  return here.empty() ? std::filesystem::path{}
                      : std::filesystem::path{"/snapshots"} / snapshot_format::file_name(here.front());
}

std::optional<raft::snapshot_id> cluster_world::snapshot(node_id id) {
  std::optional<raft::snapshot_id> made;
  const auto origin = system.spawn<errand>([&made, node = members_.at(id).node](caf::event_based_actor* self) {
    self->request(node, caf::infinite, take_snapshot{})
        .then([&made](const snapshot_result& result) { made = result.id; }, [](const caf::error&) {});
  });
  run_until([&] { return made.has_value(); }, 2s);
  caf::anon_send_exit(origin, caf::exit_reason::kill);
  return made;
}

test_scheduler& cluster_world::jobs() { return system.coordinator(); }

/// Runs the actors that have messages in random order, one message at a time.
void cluster_world::work(std::size_t budget) {
  auto& ready = jobs().jobs;
  const auto id_of = [](caf::resumable* job) { return dynamic_cast<caf::scheduled_actor&>(*job).id(); };
  for (; budget > 0 && !ready.empty(); --budget) {
    const auto from = pick(ready.size());
    std::size_t tried = 0;
    while (tried < ready.size() && !may_run(id_of(ready[(from + tried) % ready.size()]))) ++tried;
    if (tried == ready.size()) return;
    std::swap(ready.front(), ready[(from + tried) % ready.size()]);
    running_ = id_of(ready.front());
    jobs().run_once();
  }
}

bool cluster_world::may_run(caf::actor_id id) {
  const auto take = [](pace& p) { return p.per_ms == any_pace || (p.left > 0 && p.left-- > 0); };
  for (auto& [node, p] : disk_paces_)
    if (members_.at(node).storage->user == id) return take(p);
  for (auto& [node, p] : role_paces_)
    if (members_.at(node).role == id) return take(p);
  for (auto& [node, p] : news_paces_)
    if (members_.at(node).news == id) return take(p);
  for (auto& [node, p] : service_paces_)
    if (members_.at(node).service == id) return take(p);
  return true;
}

void cluster_world::note(const std::string& line) {
  auto text = std::to_string(now().time_since_epoch() / 1ms) + " " + line + "\n";
  for (const char c : text) trace_hash_ = (trace_hash_ ^ static_cast<unsigned char>(c)) * 1099511628211u;
  trace_.push_back(std::move(text));
  if (trace_.size() > kept_lines) trace_.pop_front();
}

std::string cluster_world::trace() const {
  std::string all;
  for (const auto& line : trace_) all += line;
  return all;
}

void cluster_world::on_role(node_id id, std::uint64_t incarnation, const role_changed& change) {
  auto& m = members_.at(id);
  m.role = change.role.id();
  note(std::to_string(id.value) + " is " + raft::to_string(change.kind) + " in term " + std::to_string(change.term));
  const auto& waiting = jobs().jobs;
  const bool busy = std::any_of(waiting.begin(), waiting.end(), [&](caf::resumable* job) {
    return dynamic_cast<caf::scheduled_actor&>(*job).id() == m.storage->user;
  });
  m.roles.push_back(
      {incarnation, change.epoch, change.kind, change.term, true, busy || m.storage->memory.unsynced() > 0});
  caf::actor_cast<caf::actor>(change.role)->attach_functor([&seen = m.roles.back()] { seen.alive = false; });
}

void cluster_world::on_apply(node_id id, index_t index, const std::string& what) {
  ++members_.at(id).applied;
  members_.at(id).service = running_;
  if (const auto [known, first] = applied_.emplace(index, what); !first && known->second != what)
    problems_.push_back("node " + std::to_string(id.value) + " applied a different command at " +
                        std::to_string(index));
}

void cluster_world::on_node_end(node_id id, std::uint64_t incarnation, const caf::error& why) {
  auto& m = members_.at(id);
  if (!m.up || m.incarnation != incarnation) return;
  note("end of " + std::to_string(id.value));
  const auto reason = to_text(system, why);
  kill(id);
  m.ended = reason;
}

std::optional<node_id> cluster_world::leader() const {
  std::optional<node_id> found;
  term_t newest = 0;
  for (const auto& [id, m] : members_) {
    if (!m.up || m.roles.empty()) continue;
    const auto& last = m.roles.back();
    if (last.incarnation != m.incarnation || !last.alive) continue;
    if (last.kind != raft::role_kind::leader || last.term <= newest) continue;
    newest = last.term;
    found = id;
  }
  return found;
}

std::optional<node_status> cluster_world::status(node_id id) {
  auto told = std::make_shared<std::optional<node_status>>();
  if (!up(id)) return {};
  system.spawn<errand>([told, node = members_.at(id).node](caf::event_based_actor* self) {
    self->request(node, caf::infinite, get_status{})
        .then([told](const node_status& s) { *told = s; }, [](const caf::error&) {});
  });
  work(any_pace);
  return *told;
}

template <class Request> std::size_t cluster_world::ask(node_id at, client_call what, Request request) {
  const auto number = calls_.size();
  what.at = at;
  what.began = now();
  what.deadline = what.began + request.timeout;
  calls_.push_back(what);
  system.spawn<errand>([this, number, front = members_.at(at).front, request](caf::event_based_actor* self) {
    self->request(front, caf::infinite, request)
        .then(
            [=, this](const typename decltype(request.request)::result& r) {
              on_answer(number, {now(), errc::none, r.revision});
            },
            [=, this](const caf::error& e) {
              // The front was killed with its process before it handled the request. A real caller would be dead too.
              const bool process_gone = e == caf::sec::request_receiver_down && !calls_[number].is_put;
              on_answer(number, {now(), process_gone ? errc::stopping : describe(e).code, 0});
            });
  });
  return number;
}

std::size_t cluster_world::put(node_id at, std::string key, std::chrono::milliseconds timeout) {
  with<map::put> request{{"m", key, value::of(key)}, timeout};
  return ask(at, {true, {}, std::move(key), {}, {}, {}}, std::move(request));
}

std::size_t cluster_world::get(node_id at, std::string key, std::chrono::milliseconds timeout, bool stale) {
  with<map::get> request{{"m", key}, timeout, stale};
  return ask(at, {false, {}, std::move(key), {}, {}, {}}, std::move(request));
}

void cluster_world::on_answer(std::size_t number, const client_call::answer& what) {
  auto& c = calls_[number];
  note("call " + std::to_string(number) + " " + to_string(what.code) + " " + std::to_string(what.revision));
  if (c.answered) problems_.push_back("call " + std::to_string(number) + " was answered twice");
  c.answered = what;
  if (c.is_put && c.ok() && !on_most_disks(what.revision, c.key))
    problems_.push_back("call " + std::to_string(number) + " was acknowledged, but is not on a majority of disks");
}

} // namespace troupe::test
