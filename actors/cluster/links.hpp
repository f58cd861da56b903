// The links to other nodes: which addresses are dialed, which node answered at each, and where messages to a node go.
//
//   address:  (from discovery, the log's members, nodes that dialed this one, or introductions while this node has no
//             cluster) -> one peer_link -> down | up | refused | self
//             An address that is no longer wanted and not up: its peer_link ends.
//   node id:  [no link] -- the first of its addresses is up --> [linked] -- the last of them is lost --> [no link]
#pragma once

#include "actors/cluster/link_factory.hpp"
#include "actors/protocol/interfaces.hpp"
#include "raft/base/random.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace troupe {

/// A node that has two addresses counts once, by its id. If an id answers with two incarnations at the same time, its
/// data directory was copied: the second process gets no link as long as the first one has it. Raft messages are never
/// queued: without a link they are dropped.
class links : public compat::typed_base<links_handle> {
 public:
  /// `seed` feeds the backoff of all links.
  links(caf::actor_config& config, hello self, link_factory_ptr factory, std::uint64_t seed);
  behavior_type make_behavior() override;
  const char* name() const override { return "links"; }
  void on_end() override;

 private:
  struct address_entry {
    peer_link_handle link;
    link_report::status now = link_report::status::down;
    /// The node that answered last; not cleared when the link is lost.
    hello peer;
    endpoint_handle endpoint;
    std::string problem;
    /// Set when another address of the same process was lost, until an answer arrives through this one.
    bool doubtful = false;
    /// The problem that was logged last, and whether as a warning.
    std::string logged_problem;
    bool warned = false;
  };
  struct node_entry {
    hello who;
    endpoint_handle endpoint;
    /// The address whose link is used.
    std::string address;
  };

  template <class Message> void dispatch(std::vector<Message>& messages);
  void on_report(const link_report& m);
  void on_seen(const hello& peer);
  void on_identity(const hello& self);
  void choose(node_id id);
  void resolve();
  bool wanted(const std::string& address) const;
  void introduce();
  std::vector<raft::sighted_peer> linked() const;
  void publish();
  void doubt(const endpoint_handle& lost);
  void log_problem(const std::string& address, address_entry& entry);
  peers_view view() const;
  node_identity identity() const;
  peer_list status() const;
  void on_down(const caf::down_msg& m);

  hello self_;
  /// True while this node serves requests.
  bool serves_ = false;
  link_factory_ptr factory_;
  raft::prng random_;
  std::map<std::string, address_entry> addresses_;
  /// The nodes to which there is a link.
  std::map<node_id, node_entry> nodes_;
  /// Addresses by discovery source.
  std::map<std::string, std::set<std::string>> discovered_;
  std::vector<raft::member> members_;
  /// Addresses of nodes that dialed this one, oldest first; bounded.
  struct sighting {
    std::string address;
    raft::time_point since;
  };
  std::deque<sighting> seen_;
  /// Addresses of nodes that peers introduced while this node has no cluster; bounded.
  std::set<std::string> introduced_;
  std::vector<link_watcher> link_watchers_;
  std::vector<peers_watcher> peers_watchers_;
  std::vector<identity_watcher> identity_watchers_;
  /// Duplicate incarnations that were already logged.
  std::set<std::pair<node_id, std::uint64_t>> copies_;
};

} // namespace troupe
