// Nodes that watch each other over a wire that loses, delays and is cut, for hours of virtual time.
#include "raft/membership/health.hpp"

#include "raft/base/random.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <set>
#include <tuple>

namespace troupe::raft {
namespace {

using namespace std::chrono_literals;

constexpr cluster_id cluster{7};
const time_point start{1000s};

class watchers {
 public:
  struct event {
    time_point when;
    node_id by;
    node_id about;
    peer_state now;
  };
  std::set<std::pair<node_id, node_id>> cut;
  std::set<node_id> stopped;
  unsigned loss_percent = 0;
  duration jitter{};
  std::vector<event> seen;

  explicit watchers(std::uint64_t nodes, std::uint64_t seed = 1) : random_(seed) {
    std::vector<node_id> all;
    for (std::uint64_t i = 1; i <= nodes; ++i) all.push_back({i});
    for (const auto id : all) {
      auto& machine = nodes_.try_emplace(id, id, cluster, health_options{}, random_.next(), start).first->second;
      machine.watch(all, start);
    }
  }

  time_point now() const { return now_; }
  health& at(std::uint64_t id) { return nodes_.at({id}); }

  void run(duration time) {
    const auto end = now_ + time;
    for (;;) {
      auto next = end;
      for (const auto& [id, machine] : nodes_)
        if (!stopped.contains(id)) next = std::min(next, machine.deadline());
      if (!wire_.empty()) next = std::min(next, wire_.top().when);
      now_ = std::max(now_, next);
      if (now_ >= end) return;
      while (!wire_.empty() && wire_.top().when <= now_) {
        const auto what = wire_.top().what;
        wire_.pop();
        const auto to = std::visit([](const auto& m) { return m.to; }, what);
        if (!stopped.contains(to)) take(to, nodes_.at(to).step(what, now_));
      }
      for (auto& [id, machine] : nodes_)
        if (!stopped.contains(id) && machine.deadline() <= now_) take(id, machine.tick(now_));
    }
  }
  std::size_t count(peer_state what) const {
    return static_cast<std::size_t>(
        std::count_if(seen.begin(), seen.end(), [&](const event& e) { return e.now == what; }));
  }
  /// How long after `since` node `by` found node `about` in that state.
  std::optional<duration> found(std::uint64_t by, std::uint64_t about, peer_state state, time_point since) const {
    for (const auto& e : seen)
      if (e.when >= since && e.by.value == by && e.about.value == about && e.now == state) return e.when - since;
    return {};
  }

 private:
  struct in_flight {
    time_point when;
    std::uint64_t order;
    health_message what;
    bool operator<(const in_flight& other) const { return std::tie(other.when, other.order) < std::tie(when, order); }
  };

  void take(node_id by, health_output out) {
    for (const auto& c : out.changes) seen.push_back({now_, by, c.peer, c.now});
    for (const auto& m : out.send) {
      const auto to = std::visit([](const auto& x) { return x.to; }, m);
      if (cut.contains({by, to}) || random_.next() % 100 < loss_percent) continue;
      wire_.push({now_ + random_.between(duration{0}, jitter), ++order_, m});
    }
  }

  prng random_;
  time_point now_ = start;
  std::map<node_id, health> nodes_;
  std::priority_queue<in_flight> wire_;
  std::uint64_t order_ = 0;
};

double seconds(duration time) { return std::chrono::duration<double>(time).count(); }

} // namespace

TEST_CASE("live nodes are not suspected, and a failed one is detected by all") {
  watchers w{5};
  w.run(1h);
  CHECK(w.seen.empty());
  const auto since = w.now();
  w.stopped.insert({3});
  w.run(1min);
  for (const std::uint64_t by : {1u, 2u, 4u, 5u}) {
    CAPTURE(by);
    const auto suspected = w.found(by, 3, peer_state::suspect, since);
    const auto dead = w.found(by, 3, peer_state::dead, since);
    REQUIRE(suspected);
    REQUIRE(dead);
    CHECK(*suspected > 2s);
    CHECK(*suspected < 5s);
    CHECK(*dead < 11s);
  }
  CHECK(w.seen.size() == 8);
  w.stopped.clear();
  w.run(2s);
  CHECK(w.seen.size() >= 12);
  for (const auto& p : w.at(1).view(w.now())) CHECK(p.state == peer_state::alive);
}

TEST_CASE("one bad link is not a death, and is visible as a bad link") {
  watchers w{3};
  w.cut = {{{1}, {2}}, {{2}, {1}}};
  w.run(10min);
  CHECK(w.seen.empty());
  const auto view = w.at(1).view(w.now());
  CHECK_FALSE(view[0].direct);
  CHECK(view[1].direct);
  // One direction alone: responses do not come back.
  w.cut = {{{2}, {1}}};
  w.run(10min);
  CHECK(w.seen.empty());
}

TEST_CASE("a node that was suspended does not blame the others") {
  watchers w{3};
  w.run(1min);
  w.stopped.insert({1});
  w.run(1min);
  w.stopped.clear();
  w.run(1min);
  for (const auto& e : w.seen) {
    CHECK(e.by != node_id{1});
    CHECK(e.about == node_id{1});
  }
  CHECK(w.count(peer_state::dead) == 2);
  CHECK(w.count(peer_state::alive) == 2);
}

TEST_CASE("a partition between two halves is detected from both sides, and so is its end") {
  watchers w{5};
  for (const std::uint64_t a : {1u, 2u})
    for (const std::uint64_t b : {3u, 4u, 5u}) {
      w.cut.insert({{a}, {b}});
      w.cut.insert({{b}, {a}});
    }
  w.run(1min);
  CHECK(w.count(peer_state::dead) == 12);
  w.cut.clear();
  w.run(3s);
  CHECK(w.count(peer_state::alive) == 12);
}

TEST_CASE("false detections of live nodes, with a fifth of all messages lost and 200 ms of jitter") {
  watchers w{5, 42};
  w.loss_percent = 20;
  w.jitter = 200ms;
  w.run(24h);
  const auto suspected = w.count(peer_state::suspect);
  const auto dead = w.count(peer_state::dead);
  const auto since = w.now();
  w.stopped.insert({3});
  w.run(2min);
  std::vector<double> found;
  for (const std::uint64_t by : {1u, 2u, 4u, 5u}) {
    const auto when = w.found(by, 3, peer_state::dead, since);
    REQUIRE(when);
    found.push_back(seconds(*when));
  }
  std::sort(found.begin(), found.end());
  // 5 nodes watch 4 others each, for 24 hours.
  std::cout << "20 % loss, 200 ms jitter, 480 hours of one node watching another: falsely suspected " << suspected
            << " times (" << static_cast<double>(suspected) / 480 << " an hour), falsely dead " << dead
            << " times; a dead node is found after " << found.front() << " to " << found.back() << " s\n";
  CHECK(dead == 0);
  CHECK(suspected <= 48);
  CHECK(found.back() < 20);
}

TEST_CASE("the detector is patient if silences are usual") {
  failure_detector quick{500ms, start};
  failure_detector patient{500ms, start};
  auto now = start;
  for (int i = 0; i < 100; ++i) patient.heard(now += 1500ms);
  for (int i = 0; i < 300; ++i) quick.heard(start + (i + 1) * 500ms);
  CHECK(quick.suspicion(start + 300 * 500ms + 4s) > 3);
  CHECK(patient.suspicion(now + 4s) < 1.5);
  CHECK(quick.suspicion(start) == 0);
  // An outage is not learned from.
  quick.heard(start + 1h);
  CHECK(quick.suspicion(start + 1h + 5s) > 3);
}

TEST_CASE("a node that was suspended for long soon detects a node that dies afterwards") {
  watchers w{3};
  w.run(1min);
  w.stopped.insert({1});
  w.run(1h);
  w.stopped.clear();
  // Messages sent to it while it was suspended are read first.
  for (const std::uint64_t from : {2u, 3u}) w.at(1).step(probe{cluster, {from}, {1}, 1}, w.now());
  w.run(1min);
  const auto since = w.now();
  w.stopped.insert({3});
  w.run(20s);
  const auto found = w.found(1, 3, peer_state::dead, since);
  REQUIRE(found);
  CHECK(*found < 15s);
}

TEST_CASE("messages from unknown nodes cost nothing") {
  health machine{{1}, cluster, {}, 1, start};
  machine.watch({{1}, {2}}, start);
  CHECK(machine.step(probe{{8}, {2}, {1}, 1}, start).send.empty());
  CHECK(machine.step(probe{cluster, {2}, {9}, 1}, start).send.empty());
  CHECK(machine.step(probe{cluster, {9}, {1}, 1}, start).send.size() == 1);
  CHECK(machine.step(probe_request{cluster, {9}, {1}, {2}}, start).send.empty());
  CHECK(machine.step(probe_request{cluster, {2}, {1}, {9}}, start).send.empty());
  CHECK(machine.step(probe_ack{cluster, {9}, {1}, {9}, 3}, start).send.empty());
  CHECK(machine.view(start).size() == 1);
  // A response to a probe that was never sent does not count.
  machine.step(probe_ack{cluster, {2}, {1}, {2}, 1000}, start);
  machine.tick(start);
  machine.tick(machine.deadline());
  CHECK_FALSE(machine.view(machine.deadline())[0].direct);
}

} // namespace troupe::raft
