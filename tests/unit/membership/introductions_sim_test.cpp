// Formation where nodes are given different, overlapping or single addresses and introduce each other: links that are
// dialed, answered, lost and dialed back as actors/cluster/links.cpp does it, over faulty networks. A failure names the
// seed.
#include "raft/membership/formation.hpp"
#include "raft/membership/introductions.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <iterator>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

namespace {

using namespace troupe::raft;

/// The addresses that each node is given at its start, by position.
using address_lists = std::vector<std::set<std::size_t>>;

address_lists one_seed(std::size_t nodes, std::size_t seed) { return address_lists(nodes, {seed}); }

address_lists chain(std::size_t nodes) {
  address_lists lists(nodes);
  for (std::size_t i = 1; i < nodes; ++i) lists[i].insert(i - 1);
  return lists;
}

address_lists star(std::size_t nodes, std::size_t centre) {
  address_lists lists(nodes);
  for (std::size_t i = 0; i < nodes; ++i)
    if (i != centre) lists[centre].insert(i);
  return lists;
}

address_lists ring(std::size_t nodes) {
  auto lists = chain(nodes);
  lists[0].insert(nodes - 1);
  return lists;
}

/// Every node is given the address of an earlier node, and some are given more.
address_lists connected(std::size_t nodes, prng& random) {
  address_lists lists(nodes);
  for (std::size_t i = 1; i < nodes; ++i) lists[i].insert(random.next() % i);
  for (auto more = random.next() % (2 * nodes); more > 0; --more)
    lists[random.next() % nodes].insert(random.next() % nodes);
  return lists;
}

struct faults {
  /// One of this many messages, and of looks at a peer, is lost; 0 if none is.
  std::uint64_t loss = 0;
  /// One of this many steps of a node is a crash; 0 if none is.
  std::uint64_t crashes = 0;
  /// Nodes start within this many rounds.
  std::uint64_t late = 1;
};

class world {
 public:
  world(std::uint64_t seed, address_lists lists, std::size_t expect, faults bad)
      : random_(seed), expect_(expect), bad_(bad), nodes_(lists.size()) {
    std::vector<std::uint64_t> ids;
    for (std::size_t i = 0; i < nodes_.size(); ++i) ids.push_back(100 + i);
    // The order of the ids is independent of the addresses.
    for (std::size_t i = ids.size(); i > 1; --i) std::swap(ids[i - 1], ids[draw(i)]);
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      nodes_[i].id = node_id{ids[i]};
      nodes_[i].listed = std::move(lists[i]);
      nodes_[i].starts_in = draw(bad.late);
    }
  }

  void round() {
    for (std::size_t step = 0; step < nodes_.size(); ++step) {
      const auto i = draw(nodes_.size());
      auto& n = nodes_[i];
      if (!n.machine && n.starts_in > 0) {
        --n.starts_in;
        continue;
      }
      if (!n.machine || (bad_.crashes > 0 && draw(bad_.crashes) == 0)) {
        start(i);
        continue;
      }
      look_around(i);
      feed(i, view(i));
      feed(i, tick{});
      sync(i);
      for (auto count = letters_.size(); count > 0; --count) deliver();
    }
  }
  bool run(std::size_t rounds) {
    for (std::size_t i = 0; i < rounds && !overlapping(); ++i) round();
    return !overlapping();
  }
  /// Runs without faults. Returns false if the nodes do not form one cluster in time.
  bool all_form_one(std::size_t rounds) {
    bad_ = {};
    for (std::size_t i = 0; i < rounds; ++i) {
      round();
      if (overlapping()) return false;
      if (completed_.size() == 1 && completed_.begin()->second.size() == nodes_.size()) return true;
    }
    return false;
  }

  bool overlapping() const {
    std::set<node_id> taken;
    for (const auto& [cluster, members] : completed_)
      for (const auto& m : members)
        if (!taken.insert(m.id).second) return true;
    return changed_members_;
  }
  std::size_t clusters() const { return completed_.size(); }

 private:
  struct node {
    node_id id;
    std::set<std::size_t> listed;
    std::uint64_t starts_in = 0;
    /// Not set before the node's first start.
    std::optional<formation> machine;
    membership_record disk;
    std::optional<membership_record> writing;
    std::set<std::size_t> dialed_by;
    /// What each linked peer last said about itself.
    std::map<std::size_t, sighted_peer> links;
  };
  struct letter {
    std::size_t to;
    std::variant<propose_formation, formation_answer, abort_formation> what;
  };

  std::uint64_t draw(std::uint64_t below) { return random_.next() % below; }
  bool lost() { return bad_.loss > 0 && draw(bad_.loss) == 0; }
  std::size_t place(node_id id) const {
    const auto found = std::find_if(nodes_.begin(), nodes_.end(), [&](const node& n) { return n.id == id; });
    return static_cast<std::size_t>(found - nodes_.begin());
  }
  static std::string address(std::size_t i) { return "n" + std::to_string(i) + ":1"; }
  static std::size_t at(const std::string& address) { return std::stoul(address.substr(1)); }

  std::vector<sighted_peer> linked(std::size_t i) const {
    std::vector<sighted_peer> peers;
    for (const auto& [peer, said] : nodes_[i].links) peers.push_back(said);
    return peers;
  }
  sighted_peer hello(std::size_t i) const {
    const auto& r = nodes_[i].machine->record();
    const auto cluster = r.cluster ? r.cluster : r.promise ? r.promise->cluster : cluster_id{};
    return {nodes_[i].id, r.state(), cluster, address(i), 0, introductions(r.state(), linked(i))};
  }
  peer_sightings view(std::size_t i) const {
    return {.peers = linked(i), .discovered = true, .listed = nodes_[i].links.size() + 1, .unanswered = 0};
  }

  /// Dials, or repeats its hello, wherever it has an address.
  void look_around(std::size_t i) {
    auto& n = nodes_[i];
    auto wanted = n.listed;
    wanted.insert(n.dialed_by.begin(), n.dialed_by.end());
    if (n.machine->record().state() != membership_state::formed)
      for (const auto& m : introduced_to(n.id, linked(i))) wanted.insert(at(m.address));
    for (const auto& [peer, said] : n.links) wanted.insert(peer);
    wanted.erase(i);
    for (const auto peer : wanted) {
      if (!nodes_[peer].machine) {
        n.links.erase(peer);
      } else if (lost()) {
        if (draw(3) == 0) n.links.erase(peer);
      } else {
        n.links[peer] = hello(peer);
        nodes_[peer].dialed_by.insert(i);
        if (const auto back = nodes_[peer].links.find(i); back != nodes_[peer].links.end()) back->second = hello(i);
      }
    }
  }

  void start(std::size_t i) {
    auto& n = nodes_[i];
    if (n.writing && draw(2) == 0) n.disk = *n.writing;
    n.writing.reset();
    n.dialed_by.clear();
    n.links.clear();
    n.machine.emplace(member{n.id, address(i)}, bootstrap_rule{expect_}, random_.next(), n.disk);
    take(i, n.machine->start());
  }
  void feed(std::size_t i, const formation_event& what) {
    if (nodes_[i].machine) take(i, nodes_[i].machine->step(what));
  }
  void sync(std::size_t i) {
    if (!nodes_[i].writing) return;
    nodes_[i].disk = *std::exchange(nodes_[i].writing, std::nullopt);
    feed(i, record_synced{});
  }
  template <class Message> void post(std::size_t from, const std::vector<addressed<Message>>& messages) {
    for (const auto& m : messages)
      if (nodes_[from].links.contains(place(m.to)) || std::is_same_v<Message, formation_answer>)
        letters_.push_back({place(m.to), m.what});
  }
  void take(std::size_t i, const formation_output& out) {
    if (out.store) nodes_[i].writing = out.store;
    post(i, out.ask);
    post(i, out.answer);
    post(i, out.abort);
    if (!out.decided || out.decided->initial.empty()) return;
    const auto [known, fresh] = completed_.emplace(out.decided->cluster, out.decided->initial.voters);
    if (!fresh && known->second != out.decided->initial.voters) changed_members_ = true;
  }
  /// Delivers a random letter. Faults lose it, or keep it for later.
  void deliver() {
    if (letters_.empty()) return;
    const auto chosen = std::next(letters_.begin(), static_cast<std::ptrdiff_t>(draw(letters_.size())));
    const auto copy = *chosen;
    if (!(bad_.loss > 0 && draw(8) == 0)) letters_.erase(chosen);
    if (lost()) return;
    std::visit([&](const auto& m) { feed(copy.to, m); }, copy.what);
    sync(copy.to);
  }

  prng random_;
  std::size_t expect_;
  faults bad_;
  std::vector<node> nodes_;
  std::list<letter> letters_;
  std::map<cluster_id, std::vector<member>> completed_;
  bool changed_members_ = false;
};

/// Several ways to give n nodes each other's addresses, such that a chain of links connects all.
std::vector<address_lists> joined(std::size_t n, prng& random) {
  return {one_seed(n, 0), one_seed(n, n - 1), chain(n), star(n, random.next() % n), ring(n), connected(n, random)};
}

} // namespace

TEST_CASE("nodes that are connected by any chain of addresses form one cluster", "[formation]") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    prng random{seed};
    const std::size_t n = 2 + seed % 6;
    for (const auto& lists : joined(n, random)) {
      world calm{seed, lists, n, {.late = 1 + 20 * (seed % 2)}};
      if (!calm.all_form_one(200)) FAIL("no cluster of all nodes");
    }
  }
}

TEST_CASE("connected nodes also form one cluster after losses and crashes", "[formation]") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    prng random{seed};
    const std::size_t n = 2 + seed % 5;
    for (const auto& lists : joined(n, random)) {
      world w{seed, lists, n, {.loss = 3, .crashes = 15, .late = 30}};
      if (!w.run(60)) FAIL("two clusters share a node");
      if (!w.all_form_one(300)) FAIL("no cluster of all nodes");
    }
  }
}

TEST_CASE("with more nodes than expected and any addresses, no two clusters share a node", "[formation]") {
  std::size_t formed = 0;
  for (std::uint64_t seed = 1; seed <= 1500; ++seed) {
    CAPTURE(seed);
    prng random{seed};
    const std::size_t n = 2 + seed % 3;
    world w{seed, connected(n + 1 + seed % 4, random), n, {.loss = 3, .crashes = 20, .late = 60}};
    if (!w.run(80)) FAIL("two clusters share a node");
    formed += w.clusters();
  }
  CHECK(formed > 100); // of nodes that started much earlier than others
}

TEST_CASE("two sets without an address between them form two clusters; with one, they do not both form",
          "[formation]") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    auto lists = one_seed(3, 0);
    for (const auto i : {3u, 4u, 5u}) lists.push_back({i == 3 ? 4u : 3u});
    world apart{seed, lists, 3, {}};
    REQUIRE(apart.run(100));
    CHECK(apart.clusters() == 2);
    // One node of each is given the other's address: the one that starts later knows it before it promises anything.
    lists[2].insert(5);
    lists[5].insert(2);
    world linked{seed, lists, 3, {}};
    REQUIRE(linked.run(100));
    CHECK(linked.clusters() < 2);
  }
}
