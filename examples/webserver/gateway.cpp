#include "examples/webserver/gateway.hpp"

#include "examples/webserver/json_errors.hpp"
#include "examples/webserver/status_json.hpp"

#include <caf/send.hpp>

#include <utility>

namespace troupe::webserver {

/// A node that hangs must fail its probes instead of keeping the prober waiting.
constexpr std::chrono::seconds status_timeout{2};

/// How long the node may take to write the file of a backup, once its content is known.
constexpr std::chrono::seconds backup_file_timeout{300};

/// Extra time for the node's own answer that the backup is late, before the gateway gives up waiting for it.
constexpr std::chrono::seconds backup_grace{2};

/// How long the node may take to read a chunk of a backup from the disk.
constexpr std::chrono::seconds read_timeout{60};

namespace {

/// The response to an error of a request to the node. A timeout gives `code` and `what`: the node may still complete
/// the request, since its disk may hang or be busy.
http::response late_or_failed(const caf::error& e, errc code, const std::string& what) {
  return error_response(e == caf::sec::request_timeout ? error_info{code, what, {}, {}} : describe(e));
}

std::string in_ms(std::chrono::milliseconds time) { return std::to_string(time.count()) + " ms"; }

} // namespace

/// The size of a chunk of a backup, in bytes. The server holds one chunk per client.
constexpr std::size_t backup_chunk_bytes = 256 << 10;

/// The pause before the next attempt to read a chunk, after a temporary error.
constexpr std::chrono::milliseconds chunk_pause{250};

gateway::gateway(caf::actor_config& config, node_handle node, service_actor<map_service> map,
                 std::function<void(std::string)> on_end)
    : gateway_handle::base(config), node_(std::move(node)), map_(std::move(map)) {
  set_down_handler(
      [this, on_end = std::move(on_end)](const caf::down_msg& down) { on_end(to_text(system(), down.reason)); });
  monitor(node_);
}

gateway_handle::behavior_type gateway::make_behavior() {
  return {
      [this](http_call& call) {
        try {
          std::visit([&](auto& what) { answer(what, call.responder); }, call.what);
        } catch (const std::exception& e) { // affects only this request
          call.responder.send(http::error_response(500, "internal", e.what(), "unknown", false));
        }
      },
      [this](const piece_wanted& what) { read(what); },
  };
}

template <class M> void gateway::answer(call<M>& what, const http::responder& responder) {
  request(map_, caf::infinite, with<M>{std::move(what.message), what.timeout, what.stale})
      .then([responder, render = what.render](const typename M::result& result) { responder.send(render(result)); },
            [responder](const caf::error& e) { responder.send(error_response(describe(e))); });
}

void gateway::answer(const http::response& ready, const http::responder& responder) { responder.send(ready); }

void gateway::answer(ask_liveness, const http::responder& responder) {
  responder.send({200, "text/plain; charset=utf-8", "ok\n"});
}

void gateway::answer(ask_readiness, const http::responder& responder) { show_status(readiness_response, responder); }

void gateway::answer(ask_status, const http::responder& responder) { show_status(status_response, responder); }

void gateway::answer(ask_snapshot what, const http::responder& responder) {
  request(node_, what.timeout, take_snapshot{})
      .then([responder](const snapshot_result& made) { responder.send(snapshot_response(made.id)); },
            [responder, what](const caf::error& e) {
              responder.send(late_or_failed(e, errc::outcome_unknown,
                                            "the snapshot was not on disk within " + in_ms(what.timeout) +
                                                "; the node continues writing it"));
            });
}

void gateway::answer(ask_backup what, const http::responder& responder) {
  const auto most = what.timeout + backup_file_timeout;
  request(node_, most + backup_grace, make_backup{what.timeout, backup_file_timeout})
      .then([this, responder](const backup_made& made) { responder.send(backup_response(made)); },
            [responder, most](const caf::error& e) {
              responder.send(
                  late_or_failed(e, errc::deadline, "the backup was not on this node's disk within " + in_ms(most)));
            });
}

void gateway::answer(put_backup& what, const http::responder& responder) {
  const auto timeout = what.timeout;
  request(node_, timeout, stage_backup{what.backup, what.offset, std::move(what.bytes)})
      .then([responder](const backup_staged& answer) { responder.send(staged_response(answer)); },
            [responder, timeout](const caf::error& e) {
              responder.send(late_or_failed(e, errc::outcome_unknown,
                                            "the node did not store this chunk within " + in_ms(timeout) +
                                                "; send it again to learn which offset is due"));
            });
}

void gateway::answer(const ask_restore& what, const http::responder& responder) {
  request(node_, caf::infinite, make_restore{what.backup, what.timeout})
      .then([responder](const restore_made& made) { responder.send(restored_response(made)); },
            [responder](const caf::error& e) { responder.send(error_response(describe(e))); });
}

void gateway::answer(ask_members, const http::responder& responder) { show_status(members_response, responder); }

void gateway::answer(const change_membership& what, const http::responder& responder) {
  request(node_, caf::infinite, what)
      .then([responder](const membership_changed& made) { responder.send(changed_response(made)); },
            [responder](const caf::error& e) { responder.send(error_response(describe(e))); });
}

void gateway::answer(const ask_transfer& what, const http::responder& responder) {
  request(node_, caf::infinite, move_leadership{what.to, what.timeout})
      .then([responder](const leadership_moved& made) { responder.send(moved_response(made)); },
            [responder](const caf::error& e) { responder.send(error_response(describe(e))); });
}

http::response gateway::backup_response(const backup_made& made) {
  const auto index = std::to_string(made.snapshot.last.index);
  http::response answer{200, "application/octet-stream", {}};
  answer.headers = {
      {"Content-Disposition", "attachment; filename=\"troupe-" + to_string(made.cluster) + "-" + index + ".backup\""},
      {"Troupe-Backup", "index=" + index + ", checksum=" + to_string(node_id{made.snapshot.checksum})}};
  // The file stays open while the body lives: until all of it is sent or the client has disconnected.
  const auto close = [node = node_](const std::uint64_t* download) {
    caf::anon_send(node, close_backup{*download});
    delete download;
  };
  const std::shared_ptr<const std::uint64_t> open{new std::uint64_t{made.download}, close};
  // The body outlives this call. The server's thread asks for its pieces.
  answer.pieces = http::body_in_pieces{
      made.snapshot.size,
      [self = gateway_handle{this}, open, offset = std::uint64_t{0}](const http::piece_receiver& receiver) mutable {
        const read_backup which{*open, offset, backup_chunk_bytes};
        offset += backup_chunk_bytes;
        caf::anon_send(self, piece_wanted{which, receiver});
      }};
  return answer;
}

void gateway::read(const piece_wanted& what) {
  request(node_, read_timeout, what.which)
      .then([to = what.receiver](const backup_chunk& chunk) { to.send(chunk.data); },
            [this, again = what](const caf::error& e) mutable {
              if (describe(e).code != errc::overloaded || again.attempts_left == 0) return again.receiver.fail();
              --again.attempts_left;
              delayed_send(this, chunk_pause, std::move(again));
            });
}

void gateway::show_status(http::response (*render)(const node_status&), const http::responder& responder) {
  request(node_, status_timeout, get_status{})
      .then([responder, render](const node_status& status) { responder.send(render(status)); },
            [responder](const caf::error&) {
              responder.send(error_response({errc::not_ready, "the node did not report its status", {}, {}}));
            });
}

} // namespace troupe::webserver
