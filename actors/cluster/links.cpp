#include "actors/cluster/links.hpp"

#include "actors/cluster/peer_link.hpp"
#include "raft/base/utf8.hpp"
#include "raft/membership/introductions.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <troupe/log.hpp>
#include <troupe/printable.hpp>
#include <utility>

namespace troupe {
namespace {

/// Limits how many addresses the nodes that dial this one can make it dial back.
constexpr std::size_t max_seen = 64;
constexpr std::chrono::minutes seen_for{1};
/// Addresses of one discovery source.
constexpr std::size_t max_discovered = 1024;
constexpr std::size_t max_logged_copies = 64;

bool same_identity(const hello& a, const hello& b) {
  return a.node == b.node && a.incarnation == b.incarnation && a.state == b.state && a.cluster == b.cluster &&
         a.address == b.address && a.wants_to_join == b.wants_to_join && a.introduces == b.introduces;
}

node_id receiver_of(const raft::rpc& message) { return head_of(message).to; }
node_id receiver_of(const raft::health_message& message) {
  return std::visit([](const auto& m) { return m.to; }, message);
}

const char* name_of(link_report::status s) {
  switch (s) {
  case link_report::status::down:
    return "down";
  case link_report::status::up:
    return "up";
  case link_report::status::self:
    return "this node itself";
  case link_report::status::refused:
    return "refused";
  }
  return "?";
}

void trace_report(node_id self, link_report::status before, const link_report& m) {
  auto line =
      fmt::format("node {}: {} was {}, is {}", to_string(self), printable(m.address), name_of(before), name_of(m.now));
  if (m.peer.node) line += fmt::format(", node {} incarnation {}", to_string(m.peer.node), m.peer.incarnation);
  if (!m.problem.empty()) line += ": " + printable(m.problem, trace::max_line);
  trace::write(trace::links, line);
}

template <class Handle> void forget(std::vector<Handle>& watchers, const caf::actor_addr& gone) {
  std::erase_if(watchers, [&](const Handle& w) { return w.address() == gone; });
}

} // namespace

links::links(caf::actor_config& config, hello self, link_factory_ptr factory, std::uint64_t seed)
    : compat::typed_base<links_handle>(config), self_(std::move(self)), factory_(std::move(factory)), random_(seed) {
  set_down_handler([this](const caf::down_msg& m) { on_down(m); });
}

links_handle::behavior_type links::make_behavior() {
  return {
      [this](outbound& m) { dispatch(m.messages); },
      [this](health_batch& m) { dispatch(m.messages); },
      [this](const watch_links& m) {
        monitor(m.watcher);
        link_watchers_.push_back(m.watcher);
        for (const auto& [id, node] : nodes_) send(m.watcher, link_up{node.who, node.endpoint});
      },
      [this](const watch_peers& m) {
        monitor(m.watcher);
        peers_watchers_.push_back(m.watcher);
        send(m.watcher, view());
      },
      [this](const watch_identity& m) {
        const bool is_new =
            std::find(identity_watchers_.begin(), identity_watchers_.end(), m.watcher) == identity_watchers_.end();
        if (is_new) {
          monitor(m.watcher);
          identity_watchers_.push_back(m.watcher);
        }
        send(m.watcher, identity());
      },
      [this](const identity_changed& m) { on_identity(m.self); },
      [this](const peers_changed& m) {
        auto& known = discovered_[m.source];
        known.clear();
        for (const auto& address : m.addresses)
          if (plausible_address(address) && known.size() < max_discovered) known.insert(address);
        resolve();
        publish();
      },
      [this](const members_changed& m) {
        members_ = m.members;
        resolve();
        publish();
      },
      [this](const peer_seen& m) { on_seen(m.peer); },
      [this](const link_report& m) { on_report(m); },
      [this](const service_state& m) {
        serves_ = m.serves;
        if (serves_) return;
        for (auto& [address, entry] : addresses_) log_problem(address, entry);
      },
      [this](const get_peers&) { return status(); },
  };
}

void links::on_end() {
  for (auto& [address, entry] : addresses_) anon_send_exit(entry.link, caf::exit_reason::user_shutdown);
  addresses_.clear();
  nodes_.clear();
  link_watchers_.clear();
  peers_watchers_.clear();
  identity_watchers_.clear();
}

template <class Message> void links::dispatch(std::vector<Message>& messages) {
  for (auto& message : messages) {
    const auto node = nodes_.find(receiver_of(message));
    if (node == nodes_.end()) continue;
    std::visit([&](auto& m) { send(node->second.endpoint, std::move(m)); }, message);
  }
}

void links::on_report(const link_report& m) {
  const auto found = addresses_.find(m.address);
  if (found == addresses_.end()) return;
  auto& entry = found->second;
  const auto before = std::exchange(entry.now, m.now);
  // A link repeats its hello, and reports each answer.
  const bool changed = before != m.now || m.now != link_report::status::up || entry.peer.node != m.peer.node;
  if (changed && trace::is_on(trace::links)) trace_report(self_.node, before, m);
  const auto was = std::exchange(entry.endpoint, m.endpoint);
  const auto id_before = entry.peer.node;
  if (m.now != link_report::status::down) entry.peer = m.peer;
  entry.problem = base::plain_text(m.problem); // part of the text may come from another node
  const bool again_good = std::exchange(entry.doubtful, false) && m.now == link_report::status::up;
  log_problem(m.address, entry);
  if (m.now == link_report::status::down && before == link_report::status::up) doubt(was);
  const auto known = nodes_.find(entry.peer.node);
  // Return early for a failed attempt like the previous one: there may be a thousand such addresses.
  const bool up = m.now == link_report::status::up;
  const bool news = again_good || before != m.now || id_before != entry.peer.node ||
                    (up && (known == nodes_.end() || !same_identity(known->second.who, entry.peer)));
  if (!news) return;
  if (id_before && id_before != entry.peer.node) choose(id_before);
  choose(entry.peer.node);
  resolve();
  publish();
}

/// Chooses the address whose link is used for a node. Notifies the watchers if the link to the node came up, was lost,
/// or leads to another process.
void links::choose(node_id id) {
  if (!id) return;
  const auto current = nodes_.find(id);
  const auto leads_to = [&](const auto& item) {
    return item.second.now == link_report::status::up && item.second.peer.node == id && !item.second.doubtful;
  };
  auto best = addresses_.end();
  if (current != nodes_.end()) {
    best = addresses_.find(current->second.address);
    if (best != addresses_.end() && !leads_to(*best)) best = addresses_.end();
  }
  if (best == addresses_.end()) best = std::find_if(addresses_.begin(), addresses_.end(), leads_to);
  const bool here = best != addresses_.end();
  const bool was_here = current != nodes_.end();
  const bool same = here && was_here && current->second.endpoint == best->second.endpoint &&
                    current->second.who.incarnation == best->second.peer.incarnation;
  if (was_here && !same) {
    log().info("lost the link to node {} ({})", to_string(id), current->second.address);
    nodes_.erase(current);
    for (const auto& w : link_watchers_) send(w, link_down{id});
  }
  if (!here) return;
  const auto& [address, entry] = *best;
  nodes_[id] = {entry.peer, entry.endpoint, address};
  for (auto& [other, twin] : addresses_) {
    if (!leads_to(std::pair<const std::string&, const address_entry&>{other, twin})) continue;
    const bool copy = twin.peer.incarnation != entry.peer.incarnation;
    twin.problem = copy ? "node " + to_string(id) + " runs twice: its data directory was copied" : std::string{};
    if (copy && copies_.size() < max_logged_copies && copies_.emplace(id, twin.peer.incarnation).second)
      log().error("{} and {}: {}", address, other, twin.problem);
  }
  if (same) return;
  for (const auto& w : link_watchers_) send(w, link_up{entry.peer, entry.endpoint});
  log().info("linked to node {} ({})", to_string(id), address);
}

/// The process's other addresses use the same connection, so they are probably lost as well.
void links::doubt(const endpoint_handle& lost) {
  if (!lost) return;
  for (auto& [address, entry] : addresses_)
    if (entry.endpoint == lost) entry.doubtful = true;
}

/// Logs each problem once, and once more as a warning when the node does not serve, as the problem may be the reason.
void links::log_problem(const std::string& address, address_entry& entry) {
  if (entry.problem.empty() || entry.now == link_report::status::up || entry.now == link_report::status::self) {
    entry.logged_problem.clear();
    return;
  }
  const bool refused = entry.now == link_report::status::refused;
  const bool known = entry.logged_problem == entry.problem && (entry.warned || serves_);
  if (known) return;
  entry.logged_problem = entry.problem;
  entry.warned = refused || !serves_;
  log().log(refused   ? log_level::error
            : serves_ ? log_level::info
                      : log_level::warn,
            "no link to {}: {}", address, entry.problem);
}

void links::on_seen(const hello& peer) {
  if (!plausible_address(peer.address)) return;
  if (const auto node = nodes_.find(peer.node); node != nodes_.end()) {
    // The node describes itself, and this is newer than its last answer.
    if (node->second.who.incarnation != peer.incarnation || same_identity(node->second.who, peer)) return;
    node->second.who = peer;
    addresses_[node->second.address].peer = peer;
    resolve();
    return publish();
  }
  if (const auto known = addresses_.find(peer.address); known != addresses_.end()) {
    if (known->second.now != link_report::status::up) send(known->second.link, dial{});
    return;
  }
  const auto now = clock().now();
  if (seen_.size() >= max_seen) {
    // An address keeps its slot for a while, so that a peer cannot make this node dial one new address after another.
    if (now - seen_.front().since < seen_for) return;
    seen_.pop_front();
  }
  seen_.push_back({peer.address, now});
  resolve();
}

void links::on_identity(const hello& self) {
  auto introduces = std::move(self_.introduces);
  self_ = self;
  self_.introduces = std::move(introduces);
  for (const auto& [address, entry] : addresses_) send(entry.link, identity_changed{self_});
  for (const auto& watcher : identity_watchers_) send(watcher, identity());
  resolve();
  publish();
}

node_identity links::identity() const {
  return {self_.node, self_.incarnation, self_.address, self_.state, self_.cluster};
}

/// Starts the missing peer links and ends the unwanted ones. A working link is kept even if discovery no longer reports
/// its address.
void links::resolve() {
  const auto start = [this](const std::string& address) {
    if (addresses_.contains(address)) return;
    auto& entry = addresses_[address];
    entry.link = spawn<peer_link>(address, self_, factory_, random_.next(), links_handle{this});
    monitor(entry.link);
  };
  for (const auto& [source, addresses] : discovered_) std::for_each(addresses.begin(), addresses.end(), start);
  for (const auto& member : members_)
    if (member.id != self_.node && plausible_address(member.address)) start(member.address);
  for (const auto& one : seen_) start(one.address);
  introduced_.clear();
  if (self_.state != membership_state::formed)
    for (auto& m : raft::introduced_to(self_.node, linked())) introduced_.insert(std::move(m.address));
  std::for_each(introduced_.begin(), introduced_.end(), start);
  std::erase_if(addresses_, [this](const auto& item) {
    if (item.second.now == link_report::status::up || wanted(item.first)) return false;
    demonitor(item.second.link.address());
    send_exit(item.second.link, caf::exit_reason::user_shutdown);
    return true;
  });
}

bool links::wanted(const std::string& address) const {
  const auto lists_it = [&](const auto& item) { return item.second.contains(address); };
  const auto is_its = [&](const raft::member& m) { return m.id != self_.node && m.address == address; };
  return introduced_.contains(address) || std::any_of(members_.begin(), members_.end(), is_its) ||
         std::any_of(seen_.begin(), seen_.end(), [&](const auto& one) { return one.address == address; }) ||
         std::any_of(discovered_.begin(), discovered_.end(), lists_it);
}

std::vector<raft::sighted_peer> links::linked() const {
  std::vector<raft::sighted_peer> peers;
  for (const auto& [id, node] : nodes_) peers.push_back(sighted(node.who));
  return peers;
}

/// Notifies the peers at once when the nodes that this node introduces have changed, which ends once it has a cluster.
void links::introduce() {
  auto introduces = raft::introductions(self_.state, linked());
  if (introduces == self_.introduces) return;
  self_.introduces = std::move(introduces);
  for (const auto& [address, entry] : addresses_) send(entry.link, identity_changed{self_});
}

void links::publish() {
  introduce();
  if (peers_watchers_.empty()) return;
  const auto now = view();
  for (const auto& w : peers_watchers_) send(w, now);
}

peers_view links::view() const {
  peers_view now;
  now.self = self_;
  for (const auto& [id, node] : nodes_) now.peers.push_back({node.who, node.endpoint});
  now.members = members_;
  now.discovered = !discovered_.empty();
  std::set<node_id> listed{self_.node};
  std::set<std::string> silent;
  for (const auto& [source, addresses] : discovered_)
    for (const auto& address : addresses) {
      const auto entry = addresses_.find(address);
      const auto status = entry == addresses_.end() ? link_report::status::down : entry->second.now;
      if (status == link_report::status::up)
        listed.insert(entry->second.peer.node);
      else if (status != link_report::status::self)
        silent.insert(address);
    }
  now.listed = listed.size();
  now.unanswered = silent.size();
  return now;
}

peer_list links::status() const {
  peer_list list;
  for (const auto& [address, entry] : addresses_) {
    peer_status status;
    status.address = address;
    status.id = entry.peer.node;
    status.incarnation = entry.peer.incarnation;
    status.state = entry.peer.state;
    status.cluster = entry.peer.cluster;
    const auto node = nodes_.find(entry.peer.node);
    status.up = node != nodes_.end() && node->second.address == address;
    status.self = entry.now == link_report::status::self;
    status.problem = entry.problem;
    list.peers.push_back(std::move(status));
  }
  return list;
}

void links::on_down(const caf::down_msg& m) {
  forget(link_watchers_, m.source);
  forget(peers_watchers_, m.source);
  forget(identity_watchers_, m.source);
  const auto lost = std::find_if(addresses_.begin(), addresses_.end(),
                                 [&](const auto& item) { return item.second.link.address() == m.source; });
  if (lost == addresses_.end()) return;
  log().error("the link to {} failed: {}", lost->first, to_text(system(), m.reason));
  quit(m.reason);
}

} // namespace troupe
