// The one actor of a node that other processes can reach. It answers handshakes and routes incoming messages to the
// actors that handle them.
//
//   [no role] -- role_changed --> [routing to a role] -- role_changed --> ... (the newest epoch counts)
//
// Raft messages go to the role, or to the replicator of their (term, peer). Commands go to the proxy, which answers the
// sender. Formation messages go to the formation actor. All other messages from the network are dropped.
#pragma once

#include "actors/protocol/interfaces.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <utility>

namespace troupe {

class endpoint : public compat::typed_base<endpoint_handle> {
 public:
  /// `self` describes this node until `links` sends a newer peers_view.
  endpoint(caf::actor_config& config, hello self, proxy_handle proxy, formation_handle formation, links_handle links,
           health_monitor_handle health);
  behavior_type make_behavior() override;
  const char* name() const override { return "endpoint"; }
  void on_end() override;

 private:
  hello greet(const hello& peer);
  client_welcome welcome(const client_hello& client) const;
  std::string objection(const hello& peer) const;
  std::string address_of(node_id id) const;
  bool for_us(const raft::header& head);
  void check_invitation(const raft::header& head);
  caf::result<chunk_staged> stage(stage_chunk& chunk);
  template <class Message> void to_role(Message& m);
  /// Sends an answer to the replicator of its term and sender, or to the role if the term is newer than any known one.
  template <class Response> void route(Response& m);
  void follow(const role_changed& m);
  void follow(const replicator_started& m);
  void rise_to(term_t term);
  void log_refusal(const std::string& reason);

  hello self_;
  proxy_handle proxy_;
  formation_handle formation_;
  links_handle links_;
  health_monitor_handle health_;
  staging_handle staging_;
  peers_view peers_;
  node_id leader_;
  epoch_t epoch_ = 0;
  role_handle role_;
  /// The newest term that the role or a replicator is known to be in; replicators_ has only replicators of this term.
  term_t term_ = 0;
  std::map<std::pair<term_t, node_id>, replicator_handle> replicators_;
  std::uint64_t dropped_ = 0;
  /// When each refusal was last logged; bounded.
  std::map<std::string, raft::time_point> refusals_logged_;
};

} // namespace troupe
