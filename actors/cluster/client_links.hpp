// The nodes that a client process knows: those it was given, and the members that they name.
//
//   address:  (given, or named by a welcome) -> one client_link -> down | up
//   node id:  [no link] -- the first of its addresses is up --> [linked] -- it is lost --> another one, or none
//
// All must belong to the cluster that answered first: commands for one never reach another.
#pragma once

#include "actors/cluster/client_link.hpp"

#include <map>
#include <string>
#include <vector>

namespace troupe {

class client_links : public client_link_listener::base {
 public:
  /// Tells `proxy` of every node that serves, and who leads.
  client_links(caf::actor_config& config, std::vector<std::string> addresses, link_factory_ptr factory,
               std::uint64_t seed, proxy_handle proxy);
  behavior_type make_behavior() override;
  const char* name() const override { return "client_links"; }
  void on_exit() override;

 private:
  struct address_entry {
    client_link_handle link;
    /// 0 while it is down.
    node_id node;
    endpoint_handle endpoint;
    /// Another address of the same process was lost: no answer has come through this one since.
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
  /// Which address leads to a node.
  std::map<node_id, std::string> used_;
};

} // namespace troupe
