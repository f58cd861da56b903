#include "tests/sim/availability.hpp"

#include "tests/sim/violation.hpp"

#include <algorithm>
#include <utility>

namespace troupe::sim {
namespace {

/// The time limit for a write, in election timeouts: it covers detecting a dead leader, split votes and lost messages.
constexpr int patience = 20;
/// Registers that no client of the first phase uses.
constexpr std::uint32_t first_key = 0xf0000000;
constexpr std::uint64_t writes_to_a_register = 20;

bool contains(const std::vector<node*>& list, const node* n) {
  return std::find(list.begin(), list.end(), n) != list.end();
}

} // namespace

void availability::run() {
  // The guarantee holds for working disks only. Disks that fail are broken explicitly, and named in the violation.
  world_.what.store_fails_permille = 0;
  for (unsigned i = 0; i < world_.what.outages; ++i) outage();
  if (world_.what.outages > 0 && world_.what.demands.late_voters) late_voter();
  begin();
}

void availability::outage() {
  begin();
  const auto victims = choose_victims();
  healthy_.clear();
  for (const auto& m : leader()->state().members().voters) {
    auto* n = nodes_.at(m.id.value - 1).get();
    if (!contains(victims, n)) healthy_.push_back(n);
  }
  wait_for_equal_logs();
  std::string failures = ": all voters";
  if (world_.what.demands.voters_without_state && world_.chance(400)) failures = lose_a_state(victims);
  if (!victims.empty()) ++world_.seen.outages;
  for (auto* victim : victims) failures += break_down(*victim);
  for (int i = 0; i < 2; ++i) write(failures);
  // The others could commit without the leader's disk, but the leader's own clients and all entries that it applies
  // would have to wait for it.
  const auto led_by_a_working_disk = [&] { return leader() && !leader()->disk_stopped(); };
  if (world_.what.demands.leaders_with_stopped_disk &&
      !wait_for(patience * world_.what.opts.election_max, led_by_a_working_disk))
    throw violation("availability: a leader with a stopped disk remains leader" + failures);
}

/// Repairs everything, and waits until the leader has nothing left to do.
void availability::begin() {
  faults_.mend();
  for (auto& n : nodes_) n->set_store_broken(false);
  if (!wait_for(120s, [&] { return is_at_rest(); })) throw violation("availability: a healthy cluster does not settle");
}

node* availability::leader() const {
  node* newest = nullptr;
  for (const auto& n : nodes_)
    if (n->leads() && (!newest || n->term() > newest->term())) newest = n.get();
  return newest;
}

bool availability::is_at_rest() const {
  const auto* l = leader();
  if (!l) return false;
  const auto& s = l->state();
  const auto& waiting = s.members().promotions;
  const auto whole = static_cast<std::size_t>(
      std::count_if(s.members().voters.begin(), s.members().voters.end(),
                    [&](const raft::member& m) { return has_whole_log(*nodes_.at(m.id.value - 1)); }));
  return s.commit() == s.log().last_index() && s.log().last_term() == s.term() && !s.members().joint() &&
         s.members().is_voter(s.self()) && s.can_apply() && 2 * whole > s.members().voters.size() &&
         std::all_of(waiting.begin(), waiting.end(), [](const auto& p) { return p.standby; });
}

bool availability::has_whole_log(const node& n) const {
  return n.up() && n.applied() >= world_.judge.committed() && n.storage().synced().last_index() >= n.applied() &&
         n.state().needs_snapshot() == 0;
}

std::vector<node*> availability::choose_victims() {
  std::vector<node*> order;
  for (const auto& m : leader()->state().members().voters) order.push_back(nodes_.at(m.id.value - 1).get());
  for (auto i = order.size(); i > 1; --i) std::swap(order[i - 1], order[world_.random.next() % i]);
  // Nodes that are behind do not count, so they are the first to fail; then, most of the time, the leader.
  const bool spares_leader = world_.chance(300);
  std::stable_sort(order.begin(), order.end(), [&](const node* a, const node* b) {
    const auto rank = [&](const node* n) { return !has_whole_log(*n) ? 0 : n->leads() ? spares_leader ? 2 : 0 : 1; };
    return rank(a) < rank(b);
  });
  const auto minority = (order.size() - 1) / 2;
  order.resize(minority);
  return order;
}

std::string availability::break_down(node& victim) {
  const bool leads = victim.leads();
  if (leads) ++world_.seen.outages_of_leaders;
  const auto dice = world_.random.next() % 6;
  const auto cut = [&](bool out, bool in) {
    for (const auto& n : nodes_) {
      if (n.get() == &victim) continue;
      if (out) world_.net.cut(victim.id(), n->id());
      if (in) world_.net.cut(n->id(), victim.id());
    }
  };
  const auto who = std::string{leads ? ", leader " : ", node "} + std::to_string(victim.id().value);
  switch (dice) {
  case 0:
    victim.crash();
    return who + " is down";
  case 1:
    victim.set_disk_stopped(true);
    return who + "'s disk has stopped";
  case 2:
    victim.set_room(false);
    return who + "'s disk is full";
  case 3:
    cut(true, true);
    return who + " is cut off";
  case 4:
    cut(false, true);
    return who + " hears nothing";
  default:
    cut(true, false);
    return who + " is not heard";
  }
}

/// A node of the majority restarts without its state, which it may be unable to get back. Its log is whole and at least
/// one other node of the majority, which can lead, has the same log.
std::string availability::lose_a_state(const std::vector<node*>& victims) {
  std::vector<node*> others;
  for (auto* n : healthy_)
    if (!n->leads()) others.push_back(n);
  // The node must be needed, otherwise the test proves nothing; but if it were the only other one, no node could serve.
  if (victims.empty() || others.empty() || healthy_.size() < 2) return ": all voters";
  auto& loser = *others[world_.random.next() % others.size()];
  const auto lost = world_.seen.states_lost;
  loser.damage_snapshots();
  loser.crash();
  loser.boot();
  const bool broken = world_.chance(500);
  loser.set_store_broken(broken);
  if (world_.seen.states_lost == lost) return ": all voters";
  ++world_.seen.needed_without_state;
  return ": node " + std::to_string(loser.id().value) + " lost its state" + (broken ? " for good" : "");
}

void availability::late_voter() {
  const auto& s = world_.what;
  if (s.snapshot_every == 0 || s.snapshot_every + s.opts.log_tail > 30) return;
  begin();
  auto* const late = choose_late();
  if (!late) return;
  healthy_.clear();
  for (const auto& m : leader()->state().members().voters)
    if (auto* n = nodes_.at(m.id.value - 1).get(); n != late) healthy_.push_back(n);
  wait_for_equal_logs();
  const auto has = late->storage().synced().last_index();
  late->crash();
  const auto gone = [&] { return leader() && leader()->state().log().start().index > has; };
  for (int i = 0; i < 200 && !gone(); ++i) write(": node " + std::to_string(late->id().value) + " is down");
  if (!gone()) return;
  ++world_.seen.late_voters;
  const auto goal = world_.judge.committed();
  late->boot();
  // One chunk at a time, each with a round trip and a store; some are lost.
  const auto bytes =
      healthy_[0]->storage().snapshots().empty() ? 0 : healthy_[0]->storage().snapshots()[0].bytes().size();
  const auto chunks = static_cast<int>(bytes / s.opts.snapshot_chunk_bytes + 2);
  const auto each = 2 * s.delay_max + s.store_takes_max + s.sync_max;
  const auto limit = patience * s.opts.election_max + 4 * chunks * each;
  const auto end = world_.time.now() + limit;
  while (late->applied() < goal) {
    if (world_.time.now() > end)
      throw violation("availability: node " + std::to_string(late->id().value) +
                      " does not catch up while writes go on");
    write(": node " + std::to_string(late->id().value) + " catches up");
  }
}

void availability::wait_for_equal_logs() {
  const auto equal = [&] {
    return std::all_of(healthy_.begin(), healthy_.end(), [&](const node* n) {
      return has_whole_log(*n) && n->storage().synced().last_index() == healthy_[0]->storage().synced().last_index();
    });
  };
  if (!wait_for(60s, equal)) throw violation("availability: the logs of the majority do not become equal");
}

node* availability::choose_late() const {
  const auto& voters = leader()->state().members().voters;
  if (voters.size() < 3) return nullptr;
  for (const auto& m : voters)
    if (auto* n = nodes_.at(m.id.value - 1).get(); !n->leads()) return n;
  return nullptr;
}

/// Sends the write to one healthy node after the other until one succeeds.
void availability::write(const std::string& while_what) {
  const auto began = world_.time.now();
  const auto limit = patience * world_.what.opts.election_max;
  const auto done = std::make_shared<bool>(false);
  while (!*done) {
    const auto left = began + limit - world_.time.now();
    if (left <= duration{0})
      throw violation("availability: no write succeeds in " + std::to_string(patience) + " election timeouts" +
                      while_what);
    const auto key = first_key + static_cast<std::uint32_t>(++writes_ / writes_to_a_register);
    auto& asked = *healthy_[world_.random.next() % healthy_.size()];
    clients_.write_once(asked, key, [done](bool ok) { *done = *done || ok; });
    wait_for(std::min(left, world_.what.opts.election_max / 4), [&] { return *done; });
  }
  world_.slowest_write = std::max(world_.slowest_write, world_.time.now() - began);
}

template <class Condition> bool availability::wait_for(duration limit, Condition holds) {
  const auto end = world_.time.now() + limit;
  while (!holds())
    if (!world_.time.run_one(end)) {
      world_.time.run_until(end);
      return false;
    }
  return true;
}

} // namespace troupe::sim
