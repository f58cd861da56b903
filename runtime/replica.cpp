#include "runtime/replica.hpp"

#include "actors/replica/dispatcher.hpp"
#include "actors/replica/log_store.hpp"
#include "actors/replica/role_shell.hpp"
#include "actors/replica/service_shell.hpp"
#include "actors/replica/snapshot_store.hpp"
#include "actors/replica/staging_store.hpp"

#include <utility>

namespace troupe {
namespace {

/// `own_thread`: for actors that block.
template <class Actor, class... Parts> auto spawn_blocking(caf::local_actor& self, bool own_thread, Parts&&... parts) {
  return own_thread ? self.spawn<Actor, caf::detached>(std::forward<Parts>(parts)...)
                    : self.spawn<Actor>(std::forward<Parts>(parts)...);
}

} // namespace

spawned_replica spawn_replica(caf::local_actor& self, const node_setup& setup, const node_actors& around, epoch_t epoch,
                              opened_log& log, const std::function<void(const caf::actor&)>& watch) {
  spawned_replica made;
  auto& parts = made.parts;
  const auto add = [&](const auto& part) { watch(caf::actor_cast<caf::actor>(part)); };

  parts.log = spawn_blocking<log_store>(self, setup.detach_log, std::move(log.storage), log.disk, around.links);
  add(parts.log);

  staging_store_setup staging{std::move(log.staged), setup.services, std::move(log.uses)};
  parts.staging = spawn_blocking<staging_store>(self, setup.detach_log, std::move(staging));
  add(parts.staging);

  // A number of a former run must not name a backup of this one.
  snapshot_store_setup keeping{std::move(log.snapshots), setup.services, parts.staging, epoch << 32, setup.detach_log};
  parts.snapshots = spawn_blocking<snapshot_store>(self, setup.detach_log, std::move(keeping));
  add(parts.snapshots);

  dispatcher_setup dispatching;
  for (auto& [name, machine] : log.machines) {
    made.up.services.insert(name);
    for (auto& tag : machine->non_growing_commands()) made.up.non_growing[name].insert(std::move(tag));
    dispatching.state_bytes[name] = machine->state_bytes();
    auto service = self.spawn<service_shell>(std::move(machine));
    add(service);
    dispatching.services.emplace(name, std::move(service));
  }
  dispatching.tell_size = setup.max_state_bytes > 0;
  dispatching.proxy = around.proxy;
  dispatching.log = parts.log;
  dispatching.snapshots = parts.snapshots;
  dispatching.staging = parts.staging;
  dispatching.at = log.disk.snapshot;
  dispatching.loaded = log.snapshot;
  dispatching.state_lost = log.disk.state_lost;
  dispatching.policy = setup.snapshots;
  dispatching.seed = setup.seed + epoch;
  made.up.dispatcher = parts.dispatcher = self.spawn<dispatcher>(std::move(dispatching));
  add(parts.dispatcher);

  if (log.disk.snapshot) made.dispatched = log.disk.snapshot->last.index;
  return made;
}

caf::actor spawn_first_role(caf::local_actor& self, const spawned_replica& replica, const node_actors& around,
                            observer_handle observer, epoch_t epoch, raft::node_state state) {
  role_context context;
  context.epoch = epoch;
  context.links = around.links;
  context.endpoint = around.endpoint;
  context.proxy = around.proxy;
  context.log = replica.parts.log;
  context.dispatcher = replica.parts.dispatcher;
  context.snapshots = replica.parts.snapshots;
  context.dispatched = replica.dispatched;
  context.observer = std::move(observer);
  return caf::actor_cast<caf::actor>(
      self.spawn<follower_shell>(std::move(context), raft::follower{std::move(state)}, predecessor{}));
}

} // namespace troupe
