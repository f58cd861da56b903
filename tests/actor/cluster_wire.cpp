#include "tests/actor/cluster_wire.hpp"

#include "tests/actor/send_as.hpp"

#include <algorithm>
#include <optional>
#include <variant>

namespace troupe::test {

using namespace std::chrono_literals;

namespace {

std::string text(const raft::vote_request& m) {
  return (m.pre ? "pre-vote? " : "vote? ") + std::to_string(m.last_index) + "/" + std::to_string(m.last_term);
}
std::string text(const raft::vote_response& m) {
  return std::string{m.pre ? "pre-vote " : "vote "} + (m.granted ? "yes" : "no");
}
std::string text(const raft::append_request& m) {
  return "append " + std::to_string(m.prev_index) + "+" + std::to_string(m.entries.size()) + " commit " +
         std::to_string(m.commit);
}
std::string text(const raft::append_response& m) {
  return m.success ? "have " + std::to_string(m.match) : "refused, see " + std::to_string(m.hint_index);
}
std::string text(const raft::snapshot_request& m) {
  return "snapshot " + std::to_string(m.snapshot.last.index) + " from byte " + std::to_string(m.offset);
}
std::string text(const raft::snapshot_response& m) {
  return "snapshot " + std::to_string(m.snapshot.last.index) + (m.failed ? " failed" : "") + " next byte " +
         std::to_string(m.next);
}

std::string text(const raft::timeout_now&) { return "campaign!"; }
std::string text(const raft::removed_notice& m) { return "removed at " + std::to_string(m.index); }
std::string text(const raft::removed_answer& m) { return "knows of " + std::to_string(m.index); }

} // namespace

/// Replaces the links actor: sends a node's Raft messages, and serves the replica, its jobs and the endpoint.
class wire_links : public compat::untyped_base {
 public:
  wire_links(caf::actor_config& config, wire& on, hello self)
      : compat::untyped_base(config), on_(on), self_(std::move(self)) {}
  caf::behavior make_behavior() override {
    return {
        [this](const outbound& out) {
          for (const auto& m : out.messages) on_.carry(self_, m);
        },
        [this](const watch_peers& m) {
          peers_watchers_.push_back(m.watcher);
          tell_peers();
        },
        [this](const watch_links& m) {
          link_watchers_.push_back(m.watcher);
          for (const auto& [id, link] : up_) send(m.watcher, link);
        },
        [this](const link_up& m) {
          up_[m.peer.node] = m;
          for (const auto& watcher : link_watchers_) send(watcher, m);
          tell_peers();
        },
        [this](const link_down& m) {
          up_.erase(m.peer);
          for (const auto& watcher : link_watchers_) send(watcher, m);
          tell_peers();
        },
        [this](const health_batch& out) {
          for (const auto& m : out.messages) on_.carry(self_, m);
        },
        [this](const members_changed& m) {
          members_ = m.members;
          tell_peers();
        },
        [](const service_state&) {},
        [](const get_peers&) { return peer_list{}; },
    };
  }

  void on_end() override {
    up_.clear();
    link_watchers_.clear();
    peers_watchers_.clear();
  }

 private:
  void tell_peers() {
    peers_view view{self_, {}, members_};
    for (const auto& [id, link] : up_) view.peers.push_back({link.peer, link.endpoint});
    for (const auto& watcher : peers_watchers_) send(watcher, view);
  }

  wire& on_;
  hello self_;
  std::vector<raft::member> members_;
  std::map<node_id, link_up> up_;
  std::vector<link_watcher> link_watchers_;
  std::vector<peers_watcher> peers_watchers_;
};

/// One side of a connection: forwards a proxy's requests to the other node's endpoint, and the answers back.
class line : public compat::untyped_base {
 public:
  line(caf::actor_config& config, wire& on, node_id near, node_id far, proxy_handle origin, endpoint_handle asked)
      : compat::untyped_base(config), on_(on), near_(near), far_(far), asker_(std::move(origin)),
        asked_(std::move(asked)) {}
  caf::behavior make_behavior() override {
    return {
        [this](const command_batch& m) { there(m); },
        [this](const read_index_request& m) { there(m); },
        [this](stage_chunk& m) -> caf::result<chunk_staged> {
          if (!on_.connected(near_, far_)) return caf::make_error(caf::sec::request_receiver_down);
          return delegate(asked_, std::move(m));
        },
        [this](const outcome_batch& m) { back(m); },
        [this](const read_index_answer& m) { back(m); },
    };
  }

 private:
  template <class M> void there(const M& m) {
    on_.carry_in_order(near_, far_, last_there_, [me = caf::actor{this}, to = asked_, m] { test::send_as(me, to, m); });
  }
  template <class M> void back(const M& m) {
    on_.carry_in_order(far_, near_, last_back_, [me = caf::actor{this}, to = asker_, m] { test::send_as(me, to, m); });
  }

  wire& on_;
  node_id near_;
  node_id far_;
  proxy_handle asker_;
  endpoint_handle asked_;
  raft::time_point last_there_;
  raft::time_point last_back_;
};

links_handle wire::spawn_links(hello self) {
  const auto id = self.node;
  links_actors_[id] = system_.spawn<wire_links>(*this, std::move(self));
  return caf::actor_cast<links_handle>(links_actors_[id]);
}

void wire::join(const hello& self, endpoint_handle endpoint, proxy_handle proxy) {
  for (const auto& [id, other] : stations_) links_.try_emplace(pair_of(id, self.node));
  stations_[self.node] = {self, std::move(endpoint), std::move(proxy)};
}

void wire::leave(node_id node) {
  stations_.erase(node);
  for (auto& [ends, l] : links_)
    if ((ends.first == node || ends.second == node) && l.up) l.broken = true;
}

void wire::cut(node_id a, node_id b) {
  cuts_.insert(pair_of(a, b));
  if (auto& l = links_[pair_of(a, b)]; l.up) l.broken = true;
}

void wire::isolate(node_id node) {
  for (const auto& [id, other] : stations_)
    if (id != node) cut(id, node);
}

void wire::tick(raft::time_point now) {
  now_ = now;
  for (auto& [ends, l] : links_) tend(ends, l);
  while (!under_way_.empty() && under_way_.begin()->first <= now_) {
    const auto arrive = std::move(under_way_.begin()->second);
    under_way_.erase(under_way_.begin());
    arrive();
  }
}

void wire::clear() {
  under_way_.clear();
  for (auto& [ends, l] : links_) bring_down(ends, l);
  stations_.clear();
  links_actors_.clear();
}

/// A delay within the limit of the weather, occasionally much longer.
raft::duration wire::some_time() {
  const auto most = static_cast<std::uint64_t>(weather_.slowest.count()) * (pick(20) == 0 ? 20 : 1);
  return std::chrono::milliseconds{1 + pick(most)};
}

bool wire::connected(node_id a, node_id b) const {
  return stations_.contains(a) && stations_.contains(b) && !cuts_.contains(pair_of(a, b));
}

template <class Message> void wire::carry(const hello& from, const Message& message) {
  // A killed process sends nothing more.
  const auto sender = stations_.find(from.node);
  if (sender == stations_.end() || sender->second.self.incarnation != from.incarnation) return;
  const auto copies = pick(100) < weather_.loss ? 0 : pick(100) < weather_.repeats ? 2 : 1;
  for (int i = 0; i < copies; ++i) under_way_.emplace(now_ + some_time(), [this, message] { deliver(message); });
}

void wire::deliver(const raft::health_message& message) {
  std::visit(
      [&](const auto& m) {
        if (connected(m.from, m.to)) compat::anon_send(stations_.at(m.to).endpoint, m);
      },
      message);
}

void wire::deliver(const raft::rpc& message) {
  const auto& head = raft::head_of(message);
  if (!connected(head.from, head.to)) return;
  std::visit(
      [&](const auto& m) {
        note_(std::to_string(head.from.value) + ">" + std::to_string(head.to.value) + " term " +
              std::to_string(head.term) + " " + text(m));
        compat::anon_send(stations_.at(head.to).endpoint, m);
      },
      message);
}

void wire::carry_in_order(node_id from, node_id to, raft::time_point& order, std::function<void()> arrive) {
  const auto& l = links_.at(pair_of(from, to));
  if (!l.up || l.broken) return;
  order = std::max(order, now_ + some_time());
  under_way_.emplace(order, [this, from, to, arrive = std::move(arrive)] {
    if (connected(from, to)) arrive();
  });
}

void wire::tend(const pair& ends, link& l) {
  const bool changes = l.up ? l.broken : connected(ends.first, ends.second);
  if (!changes) {
    l.changes_at.reset();
    return;
  }
  if (!l.changes_at) l.changes_at = now_ + std::chrono::milliseconds{1 + pick(l.up ? 400 : 100)};
  if (now_ < *l.changes_at) return;
  l.changes_at.reset();
  l.up ? bring_down(ends, l) : bring_up(ends, l);
}

void wire::bring_up(const pair& ends, link& l) {
  l.up = true;
  for (const auto& [near, far] : {ends, pair{ends.second, ends.first}}) {
    const auto& here = stations_.at(near);
    const auto& there = stations_.at(far);
    const auto made = system_.spawn<line>(*this, near, far, here.proxy, there.endpoint);
    const link_up news{there.self, caf::actor_cast<endpoint_handle>(made)};
    compat::anon_send(here.proxy, news);
    compat::anon_send(links_actors_.at(near), news);
    l.lines[near] = made;
  }
}

void wire::bring_down(const pair& ends, link& l) {
  for (const auto& [near, far] : {ends, pair{ends.second, ends.first}})
    if (const auto here = stations_.find(near); here != stations_.end()) {
      compat::anon_send(here->second.proxy, link_down{far});
      compat::anon_send(links_actors_.at(near), link_down{far});
    }
  for (const auto& [near, made] : l.lines) caf::anon_send_exit(made, caf::exit_reason::user_shutdown);
  l.lines.clear();
  l.up = l.broken = false;
}

} // namespace troupe::test
