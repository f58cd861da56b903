// Passes requests from the HTTP server's threads into the actor system.
#pragma once

#include "examples/webserver/api.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <functional>
#include <string>
#include <troupe/http/message.hpp>
#include <troupe/node.hpp>
#include <troupe/services/map.hpp>

namespace troupe::webserver {

/// A routed request and its responder.
struct http_call {
  routed what;
  http::responder responder;
};

/// Asks for the next chunk of a backup.
struct piece_wanted {
  read_backup which;
  http::piece_receiver receiver;
  /// How often the gateway asks again while the node is short of descriptors or memory.
  unsigned attempts_left = 240;
};

using gateway_handle = compat::handle<void(http_call), void(piece_wanted)>;

/// Sends requests to the map and the node, and passes their answers on. It keeps no deadlines for map requests: the
/// map's front answers each of them by its deadline.
///
///   [serving] --- exit message: drops unanswered requests, which get a 500 ---> (gone)
class gateway : public gateway_handle::base {
 public:
  /// Calls `on_end` once, on a thread of the actor system, with the reason why the node stopped.
  gateway(caf::actor_config& config, node_handle node, service_actor<map_service> map,
          std::function<void(std::string)> on_end);
  behavior_type make_behavior() override;
  const char* name() const override { return "gateway"; }

 private:
  template <class M> void answer(call<M>& what, const http::responder& responder);
  void answer(const http::response& ready, const http::responder& responder);
  void answer(ask_liveness, const http::responder& responder);
  void answer(ask_readiness, const http::responder& responder);
  void answer(ask_status, const http::responder& responder);
  void answer(ask_snapshot what, const http::responder& responder);
  void answer(ask_backup what, const http::responder& responder);
  void answer(put_backup& what, const http::responder& responder);
  void answer(const ask_restore& what, const http::responder& responder);
  void answer(ask_members, const http::responder& responder);
  void answer(const change_membership& what, const http::responder& responder);
  void answer(const ask_transfer& what, const http::responder& responder);
  http::response backup_response(const backup_made& made);
  void read(const piece_wanted& what);
  void show_status(http::response (*render)(const node_status&), const http::responder& responder);

  node_handle node_;
  service_actor<map_service> map_;
};

} // namespace troupe::webserver

TROUPE_LOCAL_MESSAGE(troupe::webserver::http_call);
TROUPE_LOCAL_MESSAGE(troupe::webserver::piece_wanted);
