// The network between the nodes of a test, in virtual time and drawn from one seed.
//
// Raft messages and probes get lost, repeated, delayed and reordered. What proxies say to each other keeps its order,
// as on a connection, and is lost only with it: a cut breaks a link after a while, healing brings another one up.
#pragma once

#include "actors/protocol/interfaces.hpp"
#include "raft/base/random.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>

namespace troupe::test {

/// What happens to Raft messages: how many of a hundred are lost or repeated, and what most of them take at most.
struct weather {
  unsigned loss = 0;
  unsigned repeats = 0;
  std::chrono::milliseconds slowest{3};
};

class wire {
 public:
  using trace = std::function<void(const std::string&)>;

  wire(caf::actor_system& system, std::uint64_t seed, trace note)
      : system_(system), random_(seed), note_(std::move(note)) {}

  /// What a node's core and its jobs take for its links.
  links_handle spawn_links(hello self);
  /// A process of a node comes up, or is gone. Messages that are under way to it stay so.
  void join(const hello& self, endpoint_handle endpoint, proxy_handle proxy);
  void leave(node_id node);

  void set(weather now) { weather_ = now; }
  void cut(node_id a, node_id b);
  void isolate(node_id node);
  void heal() { cuts_.clear(); }

  /// Delivers what is due, breaks and makes links.
  void tick(raft::time_point now);
  /// Forgets everything that is under way.
  void clear();

 private:
  struct station {
    hello self;
    endpoint_handle endpoint;
    proxy_handle proxy;
  };
  /// Between a pair of nodes. `line` is what the proxy of each end takes for the endpoint of the other.
  struct link {
    bool up = false;
    /// It was up when an end died or the network was cut: it goes down, whatever happens until then.
    bool broken = false;
    std::optional<raft::time_point> changes_at;
    std::map<node_id, caf::actor> lines;
  };
  using pair = std::pair<node_id, node_id>;
  friend class line;
  friend class wire_links;

  static pair pair_of(node_id a, node_id b) { return a < b ? pair{a, b} : pair{b, a}; }
  std::uint64_t pick(std::uint64_t below) { return random_.next() % below; }
  raft::duration some_time();
  bool connected(node_id a, node_id b) const;
  template <class Message> void carry(const hello& from, const Message& message);
  void deliver(const raft::rpc& message);
  void deliver(const raft::health_message& message);
  /// On a connection: keeps the order of everything with the same `order`.
  void carry_in_order(node_id from, node_id to, raft::time_point& order, std::function<void()> arrive);
  void tend(const pair& ends, link& l);
  void bring_up(const pair& ends, link& l);
  void bring_down(const pair& ends, link& l);

  caf::actor_system& system_;
  raft::prng random_;
  trace note_;
  weather weather_;
  raft::time_point now_;
  std::map<node_id, station> stations_;
  std::map<node_id, caf::actor> links_actors_;
  std::set<pair> cuts_;
  std::map<pair, link> links_;
  std::multimap<raft::time_point, std::function<void()>> under_way_;
};

} // namespace troupe::test
