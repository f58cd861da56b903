#include "tests/sim/cluster.hpp"

#include "tests/sim/availability.hpp"
#include "tests/sim/clients.hpp"
#include "tests/sim/fault_driver.hpp"
#include "tests/sim/node.hpp"
#include "tests/sim/violation.hpp"

#include <algorithm>
#include <exception>

namespace troupe::sim {
namespace {

using node_list = std::vector<std::unique_ptr<node>>;

class cluster {
 public:
  cluster(const scenario& what, bool keep_trace)
      : world_(what, keep_trace), clients_(world_, nodes_), faults_(world_, nodes_) {
    const auto formatted = formatted_image(what.nodes);
    std::vector<const disk*> disks;
    for (std::uint64_t i = 1; i <= what.nodes + what.spares; ++i) {
      nodes_.push_back(std::make_unique<node>(world_, raft::node_id{i}, i <= what.nodes ? formatted : image{},
                                              [this](raft::node_id id) -> node& { return *nodes_.at(id.value - 1); }));
      disks.push_back(&nodes_.back()->storage());
    }
    world_.judge.watch(disks);
  }

  run_result run() {
    run_result result;
    try {
      safety_phase();
      liveness_phase();
      availability_phase();
      judge_history();
    } catch (const std::exception& e) {
      result.failure = e.what();
    }
    result.seen = world_.seen;
    result.seen.commits_after_leader_change = world_.judge.commits_after_change();
    result.seen.voters_changed = world_.judge.voters_changed();
    result.seen.joint_committed = world_.judge.joint_committed();
    result.seen.joint_reads = world_.judge.joint_reads();
    result.slowest_write =
        static_cast<double>(world_.slowest_write.count()) / static_cast<double>(world_.what.opts.election_max.count());
    result.table = world_.table;
    result.trace_hash = world_.events.hash();
    result.trace_text = world_.events.text();
    return result;
  }

 private:
  void safety_phase() {
    for (auto& n : nodes_) n->boot();
    clients_.start();
    faults_.start();
    world_.time.run_until(world_.what.safety_phase);
    while (world_.seen.operations < world_.what.min_operations) {
      // Faults may be so frequent that nothing gets done. Then the clients finish without faults.
      if (world_.time.now() > world_.what.safety_phase * 3) faults_.freeze();
      if (world_.time.now() > world_.what.safety_phase * 10) throw violation("clients do not get their work done");
      world_.time.run_until(world_.time.now() + 1s);
    }
    clients_.stop();
  }

  void liveness_phase() {
    faults_.freeze();
    const auto& o = world_.what.opts;
    // Some election timeouts of the slowest clock.
    wait_for("a leader", o.election_max * 20, [&] { return settled(); });
    // The clients' last operations time out, and nodes that are behind catch up, slowly if their windows are small.
    world_.time.run_until(world_.time.now() + world_.what.client_timeout);
    wait_for("membership changes to complete", 120s, [&] { return at_rest(); });
    wait_for("a caught-up cluster", 60s, [&] { return equal(); });
    for (int i = 0; i < 10; ++i) {
      std::optional<bool> done;
      clients_.write_once(any_member(), 0, [&](bool ok) { done = ok; });
      wait_for("an outcome", world_.what.client_timeout, [&] { return done.has_value(); });
      if (!*done) throw violation("liveness: a write failed in a healthy cluster");
    }
    wait_for("equal replicas", 5s, [&] { return equal(); });
    wait_for("removed nodes to stop campaigning", 30s, [&] { return outsiders_rest(); });
    const auto term = the_leader()->term();
    world_.time.run_until(world_.time.now() + o.election_max * 5);
    if (!the_leader() || the_leader()->term() != term)
      throw violation("liveness: leadership changed in a healthy cluster");
  }

  void availability_phase() {
    if (world_.what.outages == 0) return;
    availability{world_, nodes_, clients_, faults_}.run();
    faults_.freeze();
    wait_for("equal replicas after outages", 120s, [&] { return at_rest() && equal(); });
  }

  /// The node that leads, if exactly one does.
  const node* the_leader() const {
    const node* found = nullptr;
    for (const auto& n : nodes_) {
      if (!n->leads()) continue;
      if (found) return nullptr;
      found = n.get();
    }
    return found;
  }

  bool settled() const {
    const auto* leader = the_leader();
    if (!leader || leader->applied() <= 1) return false;
    // Nodes that need a snapshot are waited for later.
    return all_members([&](const node& n) { return n.term() == leader->term(); });
  }

  /// A change in progress completes by itself: joint configurations are left, and learners with a promotion become
  /// voters. Standby learners wait for a policy, which is not part of the core.
  bool at_rest() const {
    if (!settled()) return false;
    const auto& state = the_leader()->state();
    const auto& waiting = state.members().promotions;
    // The last change may have been the removal of the leader. Then the next leader has just started.
    return state.log().term_at(state.commit()) == state.term() && state.configuration_committed() &&
           !state.members().joint() &&
           std::all_of(waiting.begin(), waiting.end(), [](const auto& p) { return p.standby; }) &&
           state.members().is_voter(state.self());
  }

  bool equal() const {
    const auto* leader = the_leader();
    return leader && all_members([&](const node& n) {
             return n.applied() == world_.judge.committed() && n.service() == leader->service() &&
                    n.storage().synced().last_index() == leader->storage().synced().last_index() &&
                    n.storage().synced().last_term() == leader->storage().synced().last_term();
           });
  }

  /// Every node that is no longer a member knows that and no longer campaigns, except for nodes that know only each
  /// other: no node that they ask can notify them.
  bool outsiders_rest() const {
    const auto* leader = the_leader();
    if (!leader) return false;
    const auto& inside = leader->state().members();
    return std::all_of(nodes_.begin(), nodes_.end(), [&](const auto& n) {
      if (inside.is_member(n->id()) || !(n->state().may_campaign() || n->state().may_ask())) return true;
      const auto& asked = n->state().members();
      const auto known = asked.members();
      return std::none_of(known.begin(), known.end(),
                          [&](const raft::member& m) { return asked.is_voter(m.id) && inside.is_member(m.id); });
    });
  }

  template <class Condition> bool all_members(Condition holds) const {
    const auto members = the_leader()->state().members().members();
    return std::all_of(members.begin(), members.end(),
                       [&](const raft::member& m) { return holds(*nodes_.at(m.id.value - 1)); });
  }

  node& any_member() {
    const auto members = the_leader()->state().members().members();
    return *nodes_.at(members[world_.random.next() % members.size()].id.value - 1);
  }

  void judge_history() {
    const auto report = check_history(clients_.history());
    world_.seen.undecided_keys += report.undecided;
    if (!report.broken_keys.empty())
      throw violation("register " + std::to_string(report.broken_keys.front()) + " is not linearizable");
  }

  template <class Condition> void wait_for(const char* what, duration limit, Condition holds) {
    const auto end = world_.time.now() + limit;
    while (!holds())
      if (!world_.time.run_one(end)) throw violation(std::string{"liveness: timed out waiting for "} + what);
  }

  world world_;
  node_list nodes_;
  clients clients_;
  fault_driver faults_;
};

} // namespace

run_result run(const scenario& what, bool keep_trace) { return cluster{what, keep_trace}.run(); }

} // namespace troupe::sim
