// The nodes that a client process knows: the addresses that it was given, and the members that those nodes report.
//
//   address:  (given, or named by a welcome) -> one client_link -> down | up
//   node id:  [no link] -- the first of its addresses is up --> [linked] -- it is lost --> [linked] by another, [no
//   link]
//
// All nodes must belong to the cluster that answered first, so that a command never reaches a different cluster.
#pragma once

#include "actors/cluster/client_link.hpp"

#include <map>
#include <string>
#include <vector>

namespace troupe {

class client_links : public compat::typed_base<client_link_listener> {
 public:
  /// Notifies `proxy` of every node that serves this client, and of the leader.
  client_links(caf::actor_config& config, std::vector<std::string> addresses, link_factory_ptr factory,
               std::uint64_t seed, proxy_handle proxy);
  behavior_type make_behavior() override;
  const char* name() const override { return "client_links"; }
  void on_end() override;

 private:
  struct address_entry {
    client_link_handle link;
    /// 0 while the link is down.
    node_id node;
    endpoint_handle endpoint;
    /// Set when another address of the same process was lost, until an answer arrives through this one.
    bool doubtful = false;
    std::string problem;
  };

  void dial(const std::string& address);
  void on_down(const caf::down_msg& message);
  void on_report(const client_link_report& report);
  void lost(const std::string& address);
  void use(const std::string& address);

  std::vector<std::string> given_;
  link_factory_ptr factory_;
  raft::prng random_;
  proxy_handle proxy_;
  cluster_id cluster_;
  std::map<std::string, address_entry> addresses_;
  /// The address whose link is used for each node.
  std::map<node_id, std::string> used_;
};

} // namespace troupe
