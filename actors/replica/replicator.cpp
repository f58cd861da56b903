#include "actors/replica/replicator.hpp"

#include <utility>

namespace troupe {

replicator_shell::replicator_shell(caf::actor_config& config, replicator_context context, raft::replicator_seed seed)
    : compat::typed_base<replicator_handle>(config), context_(std::move(context)), peer_(seed.head.to),
      replicator_(seed) {}

replicator_handle::behavior_type replicator_shell::make_behavior() {
  compat::end_on_exceptions(this);
  execute(replicator_.start(clock().now()));
  return {
      [this](const raft::replicate& m) { execute(replicator_.step(m, clock().now())); },
      [this](const raft::append_response& m) { execute(replicator_.step(m, clock().now())); },
      [this](const raft::snapshot_response& m) { execute(replicator_.step(m, clock().now())); },
      [this](const raft::fetched& m) { execute(replicator_.step(m, clock().now())); },
      [this](const timer& m) {
        if (timer_.fired(m)) execute(replicator_.step(raft::tick{}, clock().now()));
      },
  };
}

void replicator_shell::execute(raft::replicator_output&& out) {
  if (!out.send.empty()) {
    outbound message;
    for (auto& request : out.send) message.messages.emplace_back(std::move(request));
    send(context_.links, std::move(message));
  }
  if (out.send_piece) send(context_.links, outbound{{std::move(*out.send_piece)}});
  if (out.read_piece)
    request(context_.snapshots, caf::infinite, *out.read_piece).then([this](const raft::snapshot_piece& piece) {
      execute(replicator_.step(piece, clock().now()));
    });
  if (out.doubted) send(context_.snapshots, check_snapshot{*out.doubted});
  if (out.report) send(context_.leader, replicator_report{context_.epoch, *out.report});
  if (out.fetch) send(context_.leader, replicator_fetch{context_.epoch, peer_, *out.fetch});
  timer_.arm(this, replicator_.deadline());
}

} // namespace troupe
