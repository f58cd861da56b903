// The way from the HTTP server's thread into the actor system.
#pragma once

#include "examples/webserver/api.hpp"
#include "runtime/http/message.hpp"
#include "runtime/node.hpp"
#include "services/map/map_service.hpp"

#include <functional>
#include <string>

namespace troupe::webserver {

/// A routed request, and the right to answer it.
struct http_call {
  routed what;
  http::responder responder;
};

/// The next piece of a backup is due.
struct piece_wanted {
  snapshot_store_handle store;
  read_backup which;
  http::piece_receiver receiver;
  /// While the node is short of descriptors or memory, it is asked again so many times.
  unsigned attempts_left = 240;
};

using gateway_handle = compat::handle<void(http_call), void(piece_wanted)>;

/// Asks the map and the node, and answers when they do. It keeps no deadlines: the map's front answers every request
/// by its own.
///
///   [serving] --- exit message: what is unanswered is dropped, and gets a 500 ---> (gone)
class gateway : public gateway_handle::base {
 public:
  /// `on_end` is called once, on a thread of the actor system, with the reason for which the node ended.
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
  void answer(const ask_change& what, const http::responder& responder);
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
