#include "runtime/node_actor.hpp"

#include "actors/log.hpp"
#include "actors/log_store.hpp"
#include "actors/role_shell.hpp"
#include "actors/snapshot_store.hpp"
#include "actors/staging_store.hpp"
#include "runtime/backup_job.hpp"
#include "runtime/restore_job.hpp"
#include "services/shell.hpp"

#include <utility>

namespace troupe {
namespace {

/// A core that dies this often within this time will not get better by being started again.
constexpr std::size_t max_restarts = 3;
constexpr auto restart_window = std::chrono::seconds{10};

constexpr auto look_for_room_after = std::chrono::seconds{1};

bool is(errc code, const caf::error& e) { return compat::error_code(e) == static_cast<std::uint8_t>(code); }

template <class Phase> const char* to_string(Phase phase) {
  switch (phase) {
  case Phase::idle:
    return "forming";
  case Phase::opening:
    return "opening";
  case Phase::running:
    return "running";
  case Phase::draining:
    return "draining";
  case Phase::clearing:
    return "restarting";
  case Phase::no_room:
    return "no_room";
  case Phase::disk_failed:
    return "disk_failed";
  case Phase::stopping:
    return "stopping";
  }
  return "?";
}

} // namespace

node_actor::node_actor(caf::actor_config& config, node_setup setup)
    : node_handle::base(config), setup_(std::move(setup)) {
  set_down_handler([this](const caf::down_msg& message) { on_down(message); });
}

node_handle::behavior_type node_actor::make_behavior() {
  return {
      [this](const get_status&) { return status(); },
      [this](const take_snapshot& m) -> caf::result<snapshot_result> {
        if (!dispatcher_) return make_error({errc::not_ready, "this node is not running", {}, {}});
        return delegate(dispatcher_, m);
      },
      [this](const make_backup& m) { return back_up(m); },
      [this](const stage_piece& m) { return stage(m); },
      [this](const make_restore& m) { return restore(m); },
      [this](const stop_node&) { begin_stop(); },
      [this](const surroundings& m) { settle_in(m); },
      [this](const membership_decision& m) { decided(m); },
      [this](const log_opened& m) { opened(*m.log); },
      [this](const role_changed& m) {
        if (!role_.role || m.epoch > role_.epoch) role_ = m;
        epoch_ = std::max(epoch_, m.epoch);
        watch(caf::actor_cast<caf::actor>(m.role));
        // Born while the core was being taken down.
        if (phase_ != phase::running && phase_ != phase::draining) send_exit(m.role, caf::exit_reason::user_shutdown);
      },
      [this](const configuration_known& m) { on_members(m); },
      [this](const timer& m) {
        if (!timer_.fired(m) || phase_ != phase::no_room) return;
        phase_ = phase::idle;
        if (!membership_.withdrawn) open_core();
      },
  };
}

void node_actor::settle_in(const surroundings& message) {
  around_ = message;
  monitor(around_.endpoint);
  monitor(around_.links);
  monitor(around_.proxy);
  monitor(around_.formation);
  // Formation may have been quicker.
  if (membership_.cluster && !membership_.withdrawn) open_core();
}

void node_actor::decided(const membership_decision& message) {
  membership_ = message;
  if (membership_.withdrawn) {
    if (phase_ == phase::running) clear_core({});
    return;
  }
  // So far it voted with an empty log; now it begins with the state that it was given.
  if (phase_ == phase::running && membership_.backup != opening_.backup) clear_core({});
  if (phase_ == phase::idle && around_.proxy) open_core();
}

void node_actor::open_core() {
  phase_ = phase::opening;
  opening_ = membership_;
  const log_owner_handle owner{this};
  log_opener_setup opener{setup_.open_log, membership_, setup_.services};
  // Part of the core: the node must not end while it holds the directory.
  watch(setup_.detach_log ? spawn<log_opener, caf::detached>(std::move(opener), owner)
                          : spawn<log_opener>(std::move(opener), owner));
}

void node_actor::opened(opened_log& log) {
  if (phase_ != phase::opening) return;
  if (log.no_space) {
    troupe::log().error("node {}: its log cannot be opened: {}", to_string(setup_.id), log.error);
    return wait_for_room();
  }
  if (!log.error.empty()) return finish(caf::make_error(caf::sec::runtime_error, log.error));
  if (membership_.withdrawn || membership_.cluster != opening_.cluster || membership_.backup != opening_.backup) {
    // Decided anew while the log was being opened.
    log.storage.reset();
    phase_ = phase::idle;
    if (!membership_.withdrawn) open_core();
    return;
  }
  for (const auto& note : log.disk.notes) troupe::log().warn("{}", note);
  start_core(log);
}

void node_actor::start_core(opened_log& log) {
  phase_ = phase::running;
  auto store = setup_.detach_log ? spawn<log_store, caf::detached>(std::move(log.storage), log.disk, around_.links)
                                 : spawn<log_store>(std::move(log.storage), log.disk, around_.links);
  log_store_ = store.address();
  watch(caf::actor_cast<caf::actor>(store));
  start_stores(log);
  core_up up;
  for (const auto& [name, machine] : log.machines) up.services.insert(name);
  up.dispatcher = dispatcher_ = start_dispatcher(log, store);
  send(around_.proxy, std::move(up));
  raft::node_state state{setup_.id, membership_.cluster, setup_.raft, setup_.seed + epoch_, log.disk};
  role_context context;
  context.epoch = ++epoch_;
  context.links = around_.links;
  context.endpoint = around_.endpoint;
  context.proxy = around_.proxy;
  context.log = store;
  context.dispatcher = dispatcher_;
  context.snapshots = snapshots_;
  if (log.disk.snapshot) context.dispatched = log.disk.snapshot->last.index;
  context.observer = observer_handle{this};
  role_ = {};
  watch(caf::actor_cast<caf::actor>(
      spawn<follower_shell>(std::move(context), raft::follower{std::move(state)}, predecessor{})));
}

/// Those of snapshots and of backups.
void node_actor::start_stores(opened_log& log) {
  staging_store_setup staging{std::move(log.staged), setup_.services};
  staging_ = setup_.detach_log ? spawn<staging_store, caf::detached>(std::move(staging))
                               : spawn<staging_store>(std::move(staging));
  watch(caf::actor_cast<caf::actor>(staging_));
  send(around_.endpoint, staging_known{staging_});
  snapshot_store_setup keeping{std::move(log.snapshots), setup_.services, staging_, setup_.detach_log};
  snapshots_ = setup_.detach_log ? spawn<snapshot_store, caf::detached>(std::move(keeping))
                                 : spawn<snapshot_store>(std::move(keeping));
  watch(caf::actor_cast<caf::actor>(snapshots_));
}

service_table node_actor::start_services(machine_set machines) {
  service_table table;
  for (auto& [name, machine] : machines) {
    auto service = spawn<services::shell>(std::move(machine));
    watch(caf::actor_cast<caf::actor>(service));
    table.emplace(name, std::move(service));
  }
  return table;
}

dispatcher_handle node_actor::start_dispatcher(opened_log& log, const log_store_handle& store) {
  dispatcher_setup setup;
  setup.services = start_services(std::move(log.machines));
  setup.proxy = around_.proxy;
  setup.log = store;
  setup.snapshots = snapshots_;
  setup.staging = staging_;
  setup.at = log.disk.snapshot;
  setup.loaded = log.snapshot;
  setup.state_lost = log.disk.state_lost;
  setup.policy = setup_.snapshots;
  setup.seed = setup_.seed + epoch_;
  auto made = spawn<dispatcher>(std::move(setup));
  watch(caf::actor_cast<caf::actor>(made));
  return made;
}

void node_actor::watch(const caf::actor& part) {
  if (core_.emplace(part.address(), part).second) monitor(part);
}

void node_actor::on_down(const caf::down_msg& message) {
  const bool of_core = core_.erase(message.source) > 0;
  const bool died = message.reason && message.reason != caf::exit_reason::user_shutdown;
  const bool full = died && message.source == log_store_ && is(errc::disk_full, message.reason);
  // Without its surroundings a node is of no use; everything else but a failed disk may be a passing trouble.
  if (died && !of_core) {
    fatal_ = true;
    failure_ = message.reason;
  }
  full_ = full_ || full;
  if (died && message.source == log_store_ && is(errc::disk_failed, message.reason) && disk_error_.empty())
    disk_error_ = compat::to_text(system(), message.reason);
  if (phase_ == phase::clearing || phase_ == phase::stopping) {
    if (of_core && core_.empty()) core_cleared();
    return;
  }
  // A retired role ends by itself, and so does the proxy when it is drained.
  if (!message.reason) return;
  troupe::log().error("node {}: a part of it died: {}", to_string(setup_.id),
                      compat::to_text(system(), message.reason));
  const auto now = clock().now();
  // A full disk is waited for, however long it takes.
  if (!full) restarts_.push_back(now);
  while (!restarts_.empty() && now - restarts_.front() > restart_window) restarts_.pop_front();
  clear_core(message.reason);
}

void node_actor::clear_core(const caf::error& why) {
  phase_ = phase_ == phase::draining || phase_ == phase::stopping ? phase::stopping : phase::clearing;
  if (!fatal_) failure_ = why;
  send(around_.proxy, core_down{});
  send(around_.endpoint, staging_known{});
  if (core_.empty()) return core_cleared();
  for (const auto& [address, part] : core_) send_exit(part, caf::exit_reason::user_shutdown);
}

void node_actor::core_cleared() {
  role_ = {};
  dispatcher_ = nullptr;
  snapshots_ = nullptr;
  staging_ = nullptr;
  if (phase_ == phase::stopping) return finish(fatal_ ? failure_ : caf::error{});
  phase_ = phase::idle;
  if (fatal_ || (disk_error_.empty() && restarts_.size() > max_restarts)) return finish(failure_);
  if (!disk_error_.empty()) {
    phase_ = phase::disk_failed;
    troupe::log().error("node {}: its disk failed, it takes no part until it is started again: {}",
                        to_string(setup_.id), disk_error_);
    send(around_.proxy, core_down{disk_error_});
    return;
  }
  if (std::exchange(full_, false)) return wait_for_room();
  if (!membership_.withdrawn) open_core();
}

void node_actor::wait_for_room() {
  phase_ = phase::no_room;
  timer_.arm(this, clock().now() + look_for_room_after);
}

void node_actor::begin_stop() {
  if (phase_ == phase::draining || phase_ == phase::stopping) return;
  if (phase_ == phase::clearing) {
    phase_ = phase::stopping;
    return;
  }
  phase_ = phase::draining;
  // A death in the core meanwhile has already begun what follows.
  const auto drained = [this] {
    if (phase_ == phase::draining) clear_core({});
  };
  request(around_.proxy, setup_.drain_timeout, drain_proxy{})
      .then([drained](const proxy_drained&) { drained(); }, [drained](const caf::error&) { drained(); });
}

void node_actor::on_members(const configuration_known& message) {
  members_ = message.members;
  const auto count = members_.members().size();
  // A new role tells what the last one told, and an empty log has no members.
  if (count > 0 && std::exchange(told_members_at_, message.index) != message.index)
    troupe::log().info("node {} is a member of cluster {} of {} nodes", to_string(setup_.id),
                       to_string(membership_.cluster), count);
  if (count > 0 && setup_.expected_members > count && !std::exchange(told_of_missing_, true))
    troupe::log().warn("{} nodes are listed or expected, but the cluster has {}: who else is started does not change a "
                       "cluster that is formed",
                       setup_.expected_members, count);
  if (!members_.empty()) send(around_.formation, formed_now{membership_.cluster});
  send(around_.links, members_changed{members_.members()});
}

caf::result<node_status> node_actor::status() {
  node_status now;
  now.id = setup_.id;
  now.cluster = membership_.cluster;
  now.address = setup_.address;
  now.phase = to_string(phase_);
  if (!disk_error_.empty()) {
    now.disk = "failed";
    now.disk_error = disk_error_;
  }
  if (phase_ == phase::no_room) now.disk = "full";
  if (setup_.network) now.network = setup_.network();
  if (phase_ != phase::running || !role_.role) {
    now.not_ready = !disk_error_.empty()       ? "the disk failed: " + disk_error_
                    : phase_ == phase::no_room ? "the disk is full"
                    : phase_ == phase::idle    ? "not part of a cluster yet"
                                               : "starting or stopping";
    return now;
  }
  auto promise = make_response_promise<node_status>();
  auto fail = [promise](const caf::error& e) mutable { promise.deliver(e); };
  request(role_.role, caf::infinite, get_role_status{})
      .then(
          [=, this](const role_status& role) mutable {
            now.role = role;
            request(dispatcher_, caf::infinite, get_applied{})
                .then(
                    [=, this](const applied_status& applied) mutable {
                      now.applied = applied.applied;
                      now.snapshot = applied.snapshot;
                      now.snapshot_error = applied.snapshot_error;
                      request(around_.links, caf::infinite, get_peers{})
                          .then(
                              [=, this](const peer_list& peers) mutable {
                                describe_members(now, peers);
                                judge(now);
                                promise.deliver(std::move(now));
                              },
                              fail);
                    },
                    fail);
          },
          fail);
  return promise;
}

caf::result<backup_made> node_actor::back_up(const make_backup& question) {
  if (phase_ != phase::running) return make_error({errc::not_ready, "this node is not running", {}, {}});
  return delegate(spawn<backup_job>(backup_setup{membership_.cluster, around_.proxy, dispatcher_, snapshots_}),
                  question);
}

/// For the node's own clients: its cluster goes without saying.
caf::result<piece_staged> node_actor::stage(stage_piece piece) {
  if (phase_ != phase::running) return make_error({errc::not_ready, "this node is not running", {}, {}});
  piece.cluster = membership_.cluster;
  return delegate(staging_, std::move(piece));
}

caf::result<restore_made> node_actor::restore(const make_restore& question) {
  if (phase_ != phase::running) return make_error({errc::not_ready, "this node is not running", {}, {}});
  return delegate(spawn<restore_job>(restore_setup{setup_.id, membership_.cluster, node_handle{this}, around_.proxy,
                                                   around_.links, staging_, setup_.raft.snapshot_bytes_per_second}),
                  question);
}

void node_actor::describe_members(node_status& now, const peer_list& peers) const {
  for (const auto& m : now.role->members.members()) {
    const bool self = m.id == setup_.id;
    member_status member{m.id, self ? setup_.address : m.address, now.role->members.is_voter(m.id), self};
    for (const auto& peer : peers.peers) {
      // A node may be listed under several addresses, of which one is used; so may this one.
      if (peer.id != m.id || m.id == setup_.id || !peer.up) continue;
      member.address = peer.address;
      member.reachable = true;
    }
    if (m.id == now.role->leader) now.leader_address = member.address;
    now.members.push_back(std::move(member));
  }
}

void node_actor::judge(node_status& now) const {
  const auto& role = *now.role;
  const auto patience = 2 * setup_.raft.election_max;
  if (role.disk_full) now.disk = "full";
  if (role.state_lost) {
    now.not_ready = "it lacks a state to go on from, of a damaged snapshot or a backup: waiting for another node's";
  } else if (role.disk_full) {
    now.not_ready = "the disk is full";
  } else if (!role.leader) {
    now.not_ready = "no leader is known";
  } else if (!role.leader_heard || clock().now() - *role.leader_heard > patience) {
    now.not_ready = "the leader has been silent for more than two election timeouts";
  } else if (!role.ready_at || now.applied < *role.ready_at) {
    now.not_ready = "catching up with what was committed at the first contact with the leader";
  } else {
    now.ready = true;
  }
}

void node_actor::finish(const caf::error& why) {
  if (why) troupe::log().critical("node {} stops: {}", to_string(setup_.id), compat::to_text(system(), why));
  quit(why);
}

void node_actor::on_exit() {
  for (const auto& [address, part] : core_) anon_send_exit(part, caf::exit_reason::user_shutdown);
  anon_send_exit(around_.links, caf::exit_reason::user_shutdown);
  anon_send_exit(around_.endpoint, caf::exit_reason::user_shutdown);
  anon_send_exit(around_.formation, caf::exit_reason::user_shutdown);
  anon_send_exit(around_.proxy, caf::exit_reason::user_shutdown);
  around_ = {};
  core_.clear();
  role_ = {};
  dispatcher_ = nullptr;
  snapshots_ = nullptr;
  staging_ = nullptr;
  setup_.open_log = nullptr; // it keeps the data directory locked
}

} // namespace troupe
