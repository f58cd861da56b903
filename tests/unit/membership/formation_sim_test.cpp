// Formation under faults: several machines, a network that loses, repeats and reorders messages, partial and stale
// views, and crashes before and after every write. A failure names the seed.
#include "raft/membership/formation.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

namespace {

using namespace troupe::raft;

struct totals {
  std::uint64_t completed = 0, given_up = 0, withdrawn = 0, crashes_before_sync = 0, crashes_after_sync = 0,
                resumed = 0, refused = 0;
};

class world {
 public:
  /// `backups[i]` is the backup that node i was given, 0 for none.
  world(std::uint64_t seed, std::size_t nodes, bootstrap_rule rule, const std::vector<std::uint64_t>& backups = {})
      : random_(seed), rule_(rule) {
    for (std::size_t i = 0; i < nodes; ++i) {
      nodes_.emplace_back();
      nodes_[i].id = node_id{i + first_id};
      if (i < backups.size()) nodes_[i].backup = backups[i];
      nodes_[i].machine.emplace(make(i));
    }
    for (std::size_t i = 0; i < nodes; ++i) take(i, nodes_[i].machine->start());
  }

  /// Does one random thing.
  void disturb() {
    const auto i = draw(nodes_.size());
    switch (draw(12)) {
    case 0:
      crash(i);
      break;
    case 1:
    case 2:
      feed(i, some_view(i));
      break;
    case 3:
    case 4:
      feed(i, tick{});
      break;
    case 5:
    case 6:
      sync(i);
      break;
    default:
      deliver(true);
      break;
    }
  }

  /// From now on every message arrives, all nodes see each other, and no node crashes. Returns true if all nodes end up
  /// in one cluster.
  bool settle() {
    for (int round = 0; round < 200; ++round) {
      for (std::size_t i = 0; i < nodes_.size(); ++i) feed(i, true_view(i));
      for (std::size_t i = 0; i < nodes_.size(); ++i) feed(i, tick{});
      for (bool busy = true; busy;) {
        busy = false;
        for (std::size_t i = 0; i < nodes_.size(); ++i) busy = sync(i) || busy;
        while (deliver(false)) busy = true;
      }
      for (const auto& [cluster, members] : completed_)
        if (members.size() == nodes_.size()) return true;
    }
    return false;
  }

  /// Clusters whose proposer has every promise.
  const std::map<cluster_id, std::vector<member>>& completed() const { return completed_; }
  bool overlapping() const {
    std::set<node_id> taken;
    for (const auto& [cluster, members] : completed_)
      for (const auto& m : members)
        if (!taken.insert(m.id).second) return true;
    return changed_members_;
  }
  /// True if a node began a cluster without the backup that it or another member was given, or without the cluster's.
  bool wrong_beginning() const { return wrong_beginning_; }
  /// Nodes that may begin, and therefore campaign.
  const std::set<node_id>& beginners() const { return beginners_; }
  totals sums;

 private:
  using wire = std::variant<propose_formation, formation_answer, abort_formation>;
  struct node {
    node_id id;
    std::uint64_t backup = 0;
    std::optional<formation> machine;
    membership_record disk;
    std::optional<membership_record> writing;
    std::uint64_t runs = 0;
  };
  struct letter {
    node_id to;
    wire what;
  };

  std::uint64_t draw(std::uint64_t below) { return random_.next() % below; }
  static constexpr std::uint64_t first_id = 10;
  std::size_t place(node_id id) const { return static_cast<std::size_t>(id.value - first_id); }
  static std::string address(node_id id) { return "n" + std::to_string(id.value) + ":1"; }

  formation make(std::size_t i) {
    auto rule = rule_;
    rule.backup = nodes_[i].backup;
    return {member{nodes_[i].id, address(nodes_[i].id)}, rule, random_.next(), nodes_[i].disk};
  }

  void feed(std::size_t i, const formation_event& what) { take(i, nodes_[i].machine->step(what)); }

  void take(std::size_t i, const formation_output& out) {
    if (out.store) {
      REQUIRE_FALSE(nodes_[i].writing);
      nodes_[i].writing = out.store;
    }
    for (const auto& m : out.ask) letters_.emplace_back(m.to, m.what);
    for (const auto& m : out.answer) {
      letters_.emplace_back(m.to, m.what);
      sums.refused += m.what.promised ? 0 : 1;
    }
    for (const auto& m : out.abort) letters_.emplace_back(m.to, m.what);
    if (out.note.starts_with("abandons")) ++sums.given_up;
    if (!out.decided) return;
    if (out.decided->withdrawn) ++sums.withdrawn;
    if (out.decided->initial.empty()) return;
    beginners_.insert(nodes_[i].id);
    for (const auto& m : out.decided->initial.voters) {
      const auto held = place(m.id) < nodes_.size() ? nodes_[place(m.id)].backup : 0;
      if (held != 0 && held != out.decided->backup) wrong_beginning_ = true;
    }
    if (out.decided->backup != 0 && out.decided->backup != nodes_[i].backup) wrong_beginning_ = true;
    const auto [known, fresh] = completed_.emplace(out.decided->cluster, out.decided->initial.voters);
    if (!fresh && known->second != out.decided->initial.voters) changed_members_ = true;
  }

  /// The write reaches the disk and the machine is notified. Returns false if there is none.
  bool sync(std::size_t i) {
    auto& n = nodes_[i];
    if (!n.writing) return false;
    n.disk = *std::exchange(n.writing, std::nullopt);
    feed(i, record_synced{});
    return true;
  }

  void crash(std::size_t i) {
    auto& n = nodes_[i];
    if (n.writing) {
      const bool reached_disk = draw(2) == 0;
      if (reached_disk) n.disk = *n.writing;
      ++(reached_disk ? sums.crashes_after_sync : sums.crashes_before_sync);
      n.writing.reset();
    }
    if (n.disk.state() == membership_state::promised && n.disk.promise->proposer == n.id) ++sums.resumed;
    n.machine.emplace(make(i));
    take(i, n.machine->start());
  }

  /// Delivers one letter. A faulty network picks any, and may lose it or keep it for later.
  bool deliver(bool faulty) {
    if (letters_.empty()) return false;
    const auto at = static_cast<std::ptrdiff_t>(faulty ? draw(letters_.size()) : 0);
    const auto chosen = letters_[static_cast<std::size_t>(at)];
    const auto luck = faulty ? draw(8) : 7;
    if (luck != 1) letters_.erase(letters_.begin() + at);
    if (luck == 0) return true;
    if (place(chosen.to) < nodes_.size()) std::visit([&](const auto& m) { feed(place(chosen.to), m); }, chosen.what);
    return true;
  }

  sighted_peer sight(std::size_t i) const {
    const auto& r = nodes_[i].machine->record();
    const auto cluster = r.cluster ? r.cluster : r.promise ? r.promise->cluster : cluster_id{};
    return {nodes_[i].id, r.state(), cluster, address(nodes_[i].id), nodes_[i].backup};
  }
  peer_sightings true_view(std::size_t self) const {
    peer_sightings view{.peers = {}, .discovered = true, .listed = nodes_.size(), .unanswered = 0};
    for (std::size_t i = 0; i < nodes_.size(); ++i)
      if (i != self) view.peers.push_back(sight(i));
    return view;
  }
  /// A subset of the others, some with an outdated state, and sometimes a node that disappears again.
  peer_sightings some_view(std::size_t self) {
    auto view = true_view(self);
    std::vector<sighted_peer> some;
    for (auto& p : view.peers) {
      if (draw(3) == 0) continue;
      if (draw(6) == 0) p = {p.node, membership_state::fresh, {}, p.address, draw(2) == 0 ? p.backup : 0};
      some.push_back(p);
    }
    if (draw(6) == 0) some.push_back({node_id{draw(2) == 0 ? 1u : 99u}, membership_state::fresh, {}, "guest:1"});
    view.peers = some;
    view.listed = some.size() + 1;
    view.unanswered = draw(4) == 0 ? 1 : 0;
    view.discovered = draw(8) != 0;
    return view;
  }

  prng random_;
  bootstrap_rule rule_;
  std::vector<node> nodes_;
  std::vector<letter> letters_;
  std::map<cluster_id, std::vector<member>> completed_;
  bool changed_members_ = false;
  std::set<node_id> beginners_;
  bool wrong_beginning_ = false;
};

void add(totals& sum, const totals& one) {
  sum.completed += one.completed;
  sum.given_up += one.given_up;
  sum.withdrawn += one.withdrawn;
  sum.crashes_before_sync += one.crashes_before_sync;
  sum.crashes_after_sync += one.crashes_after_sync;
  sum.resumed += one.resumed;
  sum.refused += one.refused;
}

} // namespace

TEST_CASE("formations that share a node never both complete", "[formation]") {
  totals sum;
  for (std::uint64_t seed = 1; seed <= 4000; ++seed) {
    CAPTURE(seed);
    const std::size_t n = 2 + seed % 3;
    const auto rule = seed % 4 == 0 ? bootstrap_rule{} : bootstrap_rule{n};
    world w{seed, n + 2, rule};
    for (int i = 0; i < 600; ++i) {
      w.disturb();
      if (w.overlapping()) FAIL("two formations with a common node completed, step " << i);
    }
    w.sums.completed = w.completed().size();
    add(sum, w.sums);
  }
  CAPTURE(sum.completed, sum.given_up, sum.withdrawn, sum.refused, sum.resumed);
  // A run in which nothing happens proves nothing.
  CHECK(sum.completed > 200);
  CHECK(sum.given_up > 200);
  CHECK(sum.withdrawn > 200);
  CHECK(sum.refused > 200);
  CHECK(sum.resumed > 200);
  CHECK(sum.crashes_before_sync > 200);
  CHECK(sum.crashes_after_sync > 200);
}

TEST_CASE("without faults and with full views a formation completes", "[formation]") {
  for (std::size_t n = 1; n <= 7; ++n) {
    CAPTURE(n);
    for (const auto rule : {bootstrap_rule{n}, bootstrap_rule{}}) {
      world w{n, n, rule};
      CHECK(w.settle());
      CHECK(w.completed().size() == 1);
    }
  }
}

TEST_CASE("after any faults n nodes form one cluster", "[formation]") {
  for (std::uint64_t seed = 1; seed <= 1000; ++seed) {
    CAPTURE(seed);
    const std::size_t n = 2 + seed % 4;
    world w{seed, n, bootstrap_rule{n}};
    for (int i = 0; i < 300; ++i) w.disturb();
    if (!w.settle()) FAIL("no cluster of all nodes");
    CHECK(w.completed().size() == 1);
  }
}

TEST_CASE("a cluster is restored only by nodes that have its backup, and no node forms one without its own backup",
          "[formation]") {
  std::uint64_t restored = 0;
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
    CAPTURE(seed);
    const std::size_t n = 2 + seed % 3;
    prng draw{seed};
    std::vector<std::uint64_t> backups;
    for (std::size_t i = 0; i < n + 1; ++i) backups.push_back(draw.next() % 3); // none, or one of two
    world w{seed, n + 1, bootstrap_rule{n}, backups};
    for (int i = 0; i < 500; ++i) {
      w.disturb();
      if (w.overlapping()) FAIL("two formations with a common node completed, step " << i);
      if (w.wrong_beginning()) FAIL("a cluster began without its backup, step " << i);
    }
    restored += w.completed().empty() ? 0U : 1U;
  }
  CHECK(restored > 50);
}

TEST_CASE("after any faults n nodes form one cluster from the backup that some of them have", "[formation]") {
  for (std::uint64_t seed = 1; seed <= 1000; ++seed) {
    CAPTURE(seed);
    const std::size_t n = 2 + seed % 4;
    prng draw{seed};
    std::vector<std::uint64_t> backups(n, 0);
    backups[draw.next() % n] = 7;
    if (seed % 3 == 0) backups[draw.next() % n] = 7;
    world w{seed, n, bootstrap_rule{n}, backups};
    for (int i = 0; i < 300; ++i) w.disturb();
    if (!w.settle()) FAIL("no cluster of all nodes");
    CHECK(w.completed().size() == 1);
    CHECK_FALSE(w.wrong_beginning());
    for (const auto id : w.beginners()) CHECK(backups[static_cast<std::size_t>(id.value - 10)] == 7);
  }
}

TEST_CASE("nodes with different backups form nothing", "[formation]") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    const std::size_t n = 2 + seed % 3;
    std::vector<std::uint64_t> backups(n, 0);
    backups[seed % n] = 7;
    backups[(seed + 1) % n] = 8;
    world w{seed, n, bootstrap_rule{n}, backups};
    for (int i = 0; i < 200; ++i) w.disturb();
    CHECK_FALSE(w.settle());
    CHECK(w.beginners().empty());
  }
}
