// The way to other nodes: which addresses are dialed, who answered there, and where messages to a node go.
//
//   address:  (wanted by discovery, by the log's members, by who dialed this node, or by whom a node without a cluster
//             hears of) -> one peer_link -> down | up | refused | self;  no longer wanted and not up: the peer_link
//             ends
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

/// One node under two addresses counts once, by its id. An id that answers with two incarnations at once is a copied
/// data directory: whoever came second gets no link as long as the first one has it. Raft messages are never kept
/// waiting.
class links : public links_handle::base {
 public:
  /// `seed` feeds the backoff of all links.
  links(caf::actor_config& config, hello self, link_factory_ptr factory, std::uint64_t seed);
  behavior_type make_behavior() override;
  const char* name() const override { return "links"; }
  void on_exit() override;

 private:
  struct address_entry {
    peer_link_handle link;
    link_report::status now = link_report::status::down;
    /// Who answered last; not cleared when the link is lost.
    hello peer;
    endpoint_handle endpoint;
    std::string problem;
    /// Another address of the same process was lost: no answer has come through this one since.
    bool doubtful = false;
    /// The problem that was logged last, and whether as a warning.
    std::string complaint;
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
  void complain(const std::string& address, address_entry& entry);
  peers_view view() const;
  peer_list status() const;
  void on_down(const caf::down_msg& m);

  hello self_;
  /// The node serves.
  bool serves_ = false;
  link_factory_ptr factory_;
  raft::prng random_;
  std::map<std::string, address_entry> addresses_;
  /// Every node there is a link to.
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
  /// Addresses of nodes that others introduced, as long as this one has no cluster; bounded.
  std::set<std::string> introduced_;
  std::vector<link_watcher> link_watchers_;
  std::vector<peers_watcher> peers_watchers_;
  /// Second incarnations that were logged.
  std::set<std::pair<node_id, std::uint64_t>> copies_;
};

} // namespace troupe
