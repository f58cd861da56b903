#include "tests/sim/fault_driver.hpp"

#include <algorithm>
#include <utility>

namespace troupe::sim {

void fault_driver::start() {
  world_.on_elected = [this](raft::node_id id) { hurry(*nodes_.at(id.value - 1)); };
  plan();
}

void fault_driver::plan() {
  world_.time.after(world_.between(world_.what.fault_pause_min, world_.what.fault_pause_max), [this] {
    if (frozen_) return;
    strike();
    plan();
  });
}

void fault_driver::strike() {
  const auto& w = world_.what.faults;
  auto dice = world_.random.next() %
              (w.split + w.one_way + w.isolate_leader + w.crash_any + w.crash_leader + w.crash_all + w.slow_disk +
               w.lossy + w.full_disk + w.damage + w.restore + w.heal + w.members + w.transfer + w.stop_disk);
  const auto falls_on = [&](unsigned weight) {
    const bool hit = dice < weight;
    dice -= hit ? 0 : weight;
    return hit;
  };
  if (falls_on(w.split)) return split();
  if (falls_on(w.one_way)) return one_way();
  if (falls_on(w.isolate_leader)) return isolate(leader());
  if (falls_on(w.crash_any)) return crash(any());
  if (falls_on(w.crash_leader)) return crash(leader());
  if (falls_on(w.crash_all)) {
    for (auto& n : nodes_) crash(*n);
    return;
  }
  if (falls_on(w.slow_disk)) return any().set_disk_slowness(static_cast<int>(5 + world_.random.next() % 40));
  if (falls_on(w.lossy)) return world_.net.set_loss(static_cast<unsigned>(100 + world_.random.next() % 400));
  if (falls_on(w.full_disk)) return any().set_room(false);
  if (falls_on(w.damage)) return damage();
  if (falls_on(w.restore)) return restore();
  if (falls_on(w.members)) return change_members(leader_or_any());
  if (falls_on(w.transfer)) return transfer();
  if (falls_on(w.stop_disk)) return stop_disk(leader_or_any());
  heal();
}

/// Half of them continue after a while, the others when everything is repaired.
void fault_driver::stop_disk(node& victim) {
  victim.set_disk_stopped(true);
  if (!world_.chance(500)) return;
  world_.time.after(world_.between(world_.what.stopped_min, world_.what.stopped_max),
                    [&victim] { victim.set_disk_stopped(false); });
}

/// The number of nodes, from the first on, that may lose their state. Never a majority: committed entries must survive,
/// and a node without its state must not lead, even if no other node has a longer log. If members are added and
/// removed, it is one node, and two other nodes always remain voters.
std::size_t fault_driver::victims() const {
  const auto minority = (world_.what.nodes - 1) / 2;
  return world_.what.spares > 0 ? std::min<std::size_t>(minority, 1) : minority;
}

void fault_driver::damage() {
  if (victims() == 0) return;
  auto& victim = *nodes_[world_.random.next() % victims()];
  victim.damage_snapshot();
  crash(victim);
}

/// Restores a backup that all nodes have, except sometimes those whose snapshots may be damaged as well.
void fault_driver::restore() {
  const auto value = ++world_.last_tag;
  auto& holders = world_.backups[value];
  for (std::size_t i = 0; i < nodes_.size(); ++i)
    if (i >= victims() || world_.chance(300)) holders.insert(nodes_[i]->id());
  any().submit({action::restore, restored_register, value, 0}, [](outcome, answer) {});
}

void fault_driver::split() {
  std::vector<char> left(nodes_.size() + 1);
  for (auto& side : left) side = static_cast<char>(world_.random.next() % 2);
  cut_between(left);
}

void fault_driver::cut_between(const std::vector<char>& left) {
  world_.net.heal();
  for (const auto& a : nodes_)
    for (const auto& b : nodes_)
      if (left[a->id().value] != left[b->id().value]) world_.net.cut(a->id(), b->id());
}

void fault_driver::one_way() { world_.net.cut(any().id(), any().id()); }

void fault_driver::isolate(node& who) {
  world_.net.heal();
  const auto victim = who.id();
  const auto directions = world_.random.next() % 3; // both, only in, only out
  for (const auto& n : nodes_) {
    if (n->id() == victim) continue;
    if (directions != 1) world_.net.cut(victim, n->id());
    if (directions != 2) world_.net.cut(n->id(), victim);
  }
}

void fault_driver::crash(node& victim) {
  if (!victim.up()) return;
  victim.crash();
  world_.time.after(world_.between(world_.what.down_min, world_.what.down_max), [&victim] {
    if (!victim.up()) victim.boot();
  });
}

void fault_driver::heal() {
  world_.net.heal();
  for (auto& n : nodes_) {
    n->set_disk_stopped(false);
    n->set_disk_slowness(1);
    n->set_room(true);
  }
}

/// Not a fault, but the work of an operator meanwhile: adds and removes members, several at once.
void fault_driver::change_members(node& asked) {
  if (!asked.up()) return;
  const auto now = asked.state().members();
  std::vector<raft::node_id> outside;
  for (const auto& n : nodes_)
    if (!now.is_member(n->id())) outside.push_back(n->id());
  raft::change_members what;
  const auto one_of = [&](auto& list) {
    const auto at = list.begin() + static_cast<std::ptrdiff_t>(world_.random.next() % list.size());
    const auto chosen = *at;
    list.erase(at);
    return chosen;
  };
  // The voters that the change may remove.
  auto voters = now.voters;
  std::erase_if(voters, [&](const raft::member& m) {
    return m.id.value <= world_.what.nodes && m.id.value + world_.what.always_voters > world_.what.nodes;
  });
  auto count = now.voters.size();
  const auto size = static_cast<std::size_t>(1 + world_.random.next() % 5);
  auto left = 1 + world_.random.next() % world_.what.changes_at_once;
  const auto only_learns = [&] { return world_.chance(world_.what.learners_permille); };
  // Sometimes a new node replaces a voter. While there are too few voters, learners are promoted and new nodes are
  // added; while there are too many, some are removed.
  if (!outside.empty() && world_.chance(300)) {
    --left;
    what.add.push_back({{one_of(outside), {}}, true, voters.empty() ? raft::node_id{} : one_of(voters).id});
  }
  for (const auto& m : now.learners)
    if (left > 0 && !only_learns()) {
      --left;
      what.add.push_back({m, true, {}});
    }
  for (; count < size && !outside.empty() && left > 0; ++count, --left)
    what.add.push_back({{one_of(outside), {}}, !only_learns(), {}});
  for (; count > size && !voters.empty() && left > 0; --count, --left) what.remove.push_back(one_of(voters).id);
  if (!now.learners.empty() && left > 0 && world_.chance(200)) what.remove.push_back(now.learners.front().id);
  if (world_.chance(200)) what.based_on = asked.state().log().configuration_index();
  asked.administer(std::move(what));
  // Sometimes the operator does not wait for the outcome.
  if (world_.chance(400))
    world_.time.after(world_.between(0ms, 50ms), [this, &asked] {
      if (!frozen_) change_members(asked);
    });
  if (!world_.chance(world_.what.fall_after_change_permille)) return;
  world_.time.after(world_.between(0ms, 100ms), [this, &asked] {
    if (frozen_) return;
    const auto dice = world_.random.next() % 3;
    if (dice == 0) return crash(asked);
    if (dice == 1) return isolate(asked);
    split();
  });
}

/// Asks a leader that has just been elected for a membership change. If it agrees too early, its new members and the
/// other nodes may each have a majority.
void fault_driver::hurry(node& fresh) {
  if (frozen_ || !world_.chance(world_.what.hurried_change_permille)) return;
  world_.time.after(world_.between(0ms, 50ms), [this, &fresh] {
    if (frozen_ || !fresh.leads()) return;
    raft::change_members what;
    const auto& now = fresh.state().members();
    for (const auto& n : nodes_)
      if (!now.is_voter(n->id()) && what.add.size() < 2 && world_.chance(600))
        what.add.push_back({{n->id(), {}}, true, {}});
    if (what.add.empty()) return;
    ++world_.seen.hurried_changes;
    std::vector<char> inside(nodes_.size() + 1);
    inside[fresh.id().value] = 1;
    for (const auto& a : what.add) inside[a.who.id.value] = 1;
    fresh.administer(std::move(what));
    world_.time.after(world_.between(0ms, 20ms), [this, inside] {
      if (!frozen_) cut_between(inside);
    });
  });
}

void fault_driver::transfer() {
  auto& asked = leader_or_any();
  if (asked.up()) asked.administer(raft::transfer_leadership{0, world_.chance(500) ? any().id() : raft::node_id{}});
}

void fault_driver::freeze() {
  frozen_ = true;
  mend();
  world_.net.perfect();
}

void fault_driver::mend() {
  heal();
  for (auto& n : nodes_)
    if (!n->up()) n->boot();
}

node& fault_driver::leader_or_any() { return world_.chance(100) ? any() : leader(); }

node& fault_driver::leader() {
  for (auto& n : nodes_)
    if (n->leads()) return *n;
  return any();
}

} // namespace troupe::sim
