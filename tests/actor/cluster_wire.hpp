// The simulated network between the nodes, in virtual time and driven by one seed.
//
// Raft messages and probes can be lost, repeated, delayed and reordered. Messages between proxies keep their order, as
// on a connection, and are lost only when it breaks. A cut breaks a link after a while; healing makes a new one.
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

/// The treatment of Raft messages: the percentages that are lost or repeated, and the longest delay of most of them.
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

  /// Spawns a replacement for a node's links actor.
  links_handle spawn_links(hello self);
  /// A process of a node starts, or ends. Messages on their way to the node are still delivered.
  void join(const hello& self, endpoint_handle endpoint, proxy_handle proxy);
  void leave(node_id node);

  void set(weather now) { weather_ = now; }
  void cut(node_id a, node_id b);
  void isolate(node_id node);
  void heal() { cuts_.clear(); }

  /// Delivers due messages, and breaks and makes links.
  void tick(raft::time_point now);
  /// Drops all messages on their way.
  void clear();

 private:
  struct station {
    hello self;
    endpoint_handle endpoint;
    proxy_handle proxy;
  };
  /// A link between two nodes. Each side's proxy uses a `line` in place of the other side's endpoint.
  struct link {
    bool up = false;
    /// One side died or the network was cut while the link was up: it goes down, even if the network heals before.
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
  /// Delivers as on a connection: messages with the same `order` keep their order.
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
