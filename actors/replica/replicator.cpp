#include "actors/replica/replicator.hpp"

#include "raft/describe.hpp"

#include <fmt/format.h>
#include <utility>

namespace troupe {

replicator_shell::replicator_shell(caf::actor_config& config, replicator_context context, raft::replicator_seed seed)
    : compat::typed_base<replicator_handle>(config), context_(std::move(context)), self_(seed.head.from),
      peer_(seed.head.to), replicator_(seed) {}

replicator_handle::behavior_type replicator_shell::make_behavior() {
  compat::end_on_exceptions(this);
  auto out = replicator_.start(clock().now());
  if (trace::is_on(trace::raft)) trace_step("starts", out);
  execute(std::move(out));
  return {
      [this](const raft::replicate& m) { step(m); },
      [this](const raft::append_response& m) { step(m); },
      [this](const raft::snapshot_response& m) { step(m); },
      [this](const raft::fetched& m) { step(m); },
      [this](const timer& m) {
        if (timer_.fired(m)) step(raft::tick{});
      },
  };
}

void replicator_shell::step(const raft::replicator_event& event) {
  auto out = replicator_.step(event, clock().now());
  if (trace::is_on(trace::raft)) trace_step(raft::describe(event, raft::text_style::log), out);
  execute(std::move(out));
}

void replicator_shell::trace_step(const std::string& event, const raft::replicator_output& out) const {
  const auto effects = raft::describe(out, trace::max_line);
  trace::write(trace::raft, fmt::format("node {} replicator of {}: {}{}{}", to_string(self_), to_string(peer_), event,
                                        effects.empty() ? "" : " => ", effects));
}

void replicator_shell::execute(raft::replicator_output&& out) {
  if (!out.send.empty()) {
    outbound message;
    for (auto& request : out.send) message.messages.emplace_back(std::move(request));
    send(context_.links, std::move(message));
  }
  if (out.send_chunk) send(context_.links, outbound{{std::move(*out.send_chunk)}});
  if (out.read_chunk)
    request(context_.snapshots, caf::infinite, *out.read_chunk).then([this](const raft::snapshot_chunk& chunk) {
      step(chunk);
    });
  if (out.doubted) send(context_.snapshots, check_snapshot{*out.doubted});
  if (out.report) send(context_.leader, replicator_report{context_.epoch, *out.report});
  if (out.fetch) send(context_.leader, replicator_fetch{context_.epoch, peer_, *out.fetch});
  timer_.arm(this, replicator_.deadline());
}

} // namespace troupe
