#include "actors/frontend/proxy.hpp"

#include "actors/frontend/refusal_answer.hpp"
#include "services/command.hpp"

#include <caf/scheduled_actor.hpp>

#include <algorithm>
#include <utility>

namespace troupe {
namespace {

/// The node that rejected the command did nothing with it, so it can be retried.
bool was_not_taken(errc code) {
  return code == errc::no_leader || code == errc::not_leader || code == errc::not_ready || code == errc::stopping ||
         code == errc::disk_failed;
}

} // namespace

proxy::proxy(caf::actor_config& config, proxy_options options)
    : compat::typed_base<proxy_handle>(config), options_(std::move(options)), routes_(options_.self, options_.address),
      pending_(options_.max_pending, options_.max_pending_bytes), quota_(options_.max_state_bytes) {
  // Remote peers can send unexpected message types.
  drop_unexpected();
}

proxy_handle::behavior_type proxy::make_behavior() {
  return {
      [this](const command_batch& m) { on_commands(m); },
      [this](outcome_batch& m) { on_outcomes(m); },
      [this](const read_index_request& m) { on_index_request(m); },
      [this](const read_index_answer& m) { on_index_answer(m); },
      [this](const proposals_settled& m) { on_proposals_settled(m); },
      [this](const reads_settled& m) { on_reads_settled(m); },
      [this](const transfer_failed& m) { on_transfer_failed(m.what); },
      [this](applied_batch& m) { on_applied(m); },
      [this](const snapshot_covered& m) { on_covered(m.up_to); },
      [this](const state_size& m) { quota_.set_size(m.bytes); },
      [this](const raft::transferred& m) {
        settle(m.tag, {0, errc::none, 0, to_string(m.to)});
      },
      [this](queried_batch& m) { on_queried(m); },
      [this](const role_changed& m) { on_role_changed(m); },
      [this](const leader_known& m) {
        routes_.leader_known(m);
        wake();
      },
      [this](const members_changed& m) { routes_.members_changed(m); },
      [this](const removal_known& m) { on_removal(m.removed); },
      [this](const link_problem& m) { problem_ = m.address + ": " + m.problem; },
      [this](const link_up& m) { on_link_up(m); },
      [this](const link_down& m) { on_link_down(m.peer); },
      [this](const replica_up& m) { on_replica_up(m); },
      [this](const replica_down& m) { on_replica_down(m); },
      [](const flow_mark&) {}, // the messages before it are in the table or answered
      [this](const flush&) { on_flush(); },
      [this](const timer& m) { on_timer(m); },
      [this](const drain_proxy&) { return on_drain(); },
  };
}

void proxy::on_end() {
  end_all();
  // Promises and requesters hold references to this actor, and so do the fronts among the requesters.
  drained_ = {};
  pending_ = {0, 0};
  outbox_ = {};
  index_requests_.clear();
  routes_ = {options_.self, options_.address};
  role_ = nullptr;
  dispatcher_ = nullptr;
}

/// Answers all pending commands before the proxy ends. A requester can then conclude that a command without an answer
/// was never processed here.
void proxy::end_all() {
  for (const auto tag : pending_.select([](const pending_command&) { return true; })) {
    const auto& command = *pending_.find(tag);
    const bool may_be_done = command.is_write() && !command.is_held_back();
    settle(tag, may_be_done ? errc::outcome_unknown : errc::stopping,
           may_be_done ? "this process stopped before the outcome was known" : text_of(errc::stopping));
  }
  for (const auto& [origin, number] : index_requests_) send(origin, read_index_answer{number, errc::not_leader, 0});
  for (const auto& [origin, number] : confirmations_.take_remotes())
    send(origin, read_index_answer{number, errc::not_leader, 0});
  deliver();
}

void proxy::on_commands(const command_batch& batch) {
  const auto origin = caf::actor_cast<requester_handle>(current_sender());
  // Of the other nodes, only members may ask for what concerns the cluster itself.
  const bool trusted =
      batch.forwarded ? routes_.is_of_member(current_sender()) : origin && origin.node() == system().node();
  const auto refused = [&](std::uint64_t number, errc why) {
    if (why != errc::none) outbox_.add(origin, {number, why, 0, text_of(why)});
    return why != errc::none;
  };
  for (const auto& asked : batch.commands) {
    const bool forbidden = !trusted && services::is_for_cluster(asked.payload.view());
    if (!refused(asked.number, admission(asked.how, asked.payload.size(), batch.forwarded, forbidden)))
      take({.origin = origin,
            .number = asked.number,
            .how = asked.how,
            .from_proxy = batch.forwarded,
            .payload = asked.payload},
           asked.timeout_ms);
  }
  for (const auto& asked : batch.changes)
    if (!refused(asked.number, admission(access::write, size_of(asked.what), batch.forwarded, !trusted)))
      take({.origin = origin,
            .number = asked.number,
            .how = access::write,
            .from_proxy = batch.forwarded,
            .change = std::make_unique<const cluster_change>(asked.what)},
           asked.timeout_ms);
  wake();
}

void proxy::take(pending_command asked, std::uint32_t timeout_ms) {
  const auto now = clock().now();
  asked.deadline = now + (timeout_ms == 0 ? options_.default_timeout
                                          : std::min(std::chrono::milliseconds{timeout_ms}, options_.max_timeout));
  timer_.arm(this, std::min(asked.deadline, now + options_.sweep_interval));
  const auto tag = pending_.add(std::move(asked));
  queues_.add(tag, *pending_.find(tag), routes_.is_client());
}

std::string proxy::text_of(errc refusal) const {
  if (refusal == errc::stopping) return "this process is shutting down";
  if (refusal == errc::disk_failed) return "the disk of this node failed: " + down_.why;
  if (refusal == errc::disk_full) return "the disk of this node is full: " + down_.why;
  if (refusal == errc::unknown_service) return services::why_no_service(services::cluster_service);
  if (refusal == errc::too_large) return "the command is too large";
  if (refusal == errc::not_leader) return "this node does not lead";
  if (refusal == errc::not_ready) return "this node was removed from its cluster";
  return "too many commands are waiting";
}

errc proxy::admission(access how, std::size_t bytes, bool from_proxy, bool forbidden) const {
  if (draining_) return errc::stopping;
  if (bytes > options_.max_command_bytes) return errc::too_large;
  // Another proxy gets a retryable error: its node may be linked, or a member, before this proxy learns of it.
  if (forbidden) return from_proxy ? errc::not_leader : errc::unknown_service;
  if (from_proxy && !routes_.leading()) return errc::not_leader;
  if (down_.code != errc::none) return down_.code;
  if (removed_ && !routes_.leading() && how != access::stale_read) return errc::not_ready;
  if (!pending_.has_room_for(bytes)) return errc::overloaded;
  return errc::none;
}

void proxy::on_outcomes(outcome_batch& batch) {
  const auto answering = current_sender();
  if (!routes_.knows(answering)) return;
  node_id refused_by;
  for (auto& outcome : batch.outcomes) {
    const auto tag = outcome.number;
    const auto* command = pending_.find(tag);
    const auto* sent = command ? command->in<command_state::forwarded>() : nullptr;
    if (!sent || !routes_.is_of(sent->peer, answering)) continue; // answered already, or not asked
    if (was_not_taken(outcome.code)) {
      refused_by = sent->peer;
      retry(tag);
    } else {
      settle(tag, std::move(outcome));
    }
  }
  if (refused_by) routes_.refused(refused_by, batch.leader);
  routes_.learned(batch.leader);
  wake();
}

void proxy::on_index_request(const read_index_request& request) {
  const auto origin = caf::actor_cast<requester_handle>(current_sender());
  if (origin) index_requests_.push_back({origin, request.number});
  wake();
}

void proxy::on_index_answer(const read_index_answer& answer) {
  const auto* question = confirmations_.find(answer.number);
  if (!question || !routes_.is_of(question->by, current_sender())) return;
  if (answer.code == errc::none)
    confirmed(answer.number, answer.index);
  else
    not_confirmed(answer.number, {});
}

void proxy::on_reads_settled(const reads_settled& settled) {
  for (const auto& ready : settled.ready) confirmed(ready.tag, ready.index);
  for (const auto& failed : settled.failed) not_confirmed(failed.tag, failed.leader);
}

void proxy::on_transfer_failed(const raft::failed& failed) {
  const auto* command = pending_.find(failed.tag);
  if (!command || !command->in<command_state::proposed>()) return;
  if (failed.why == raft::reject_reason::leadership_lost)
    settle(failed.tag, errc::outcome_unknown, "leadership was lost before the new leader was known");
  else
    refuse(failed.tag, failed.why, failed.leader);
}

void proxy::confirmed(raft::tag_t number, index_t index) {
  const auto question = confirmations_.take(number);
  if (!question) return;
  read_at(index, question->reads);
  for (const auto& [origin, theirs] : question->remotes) send(origin, read_index_answer{theirs, errc::none, index});
}

void proxy::not_confirmed(raft::tag_t number, node_id hint) {
  const auto question = confirmations_.take(number);
  if (!question) return;
  for (const auto tag : question->reads) retry(tag);
  for (const auto& [origin, theirs] : question->remotes) send(origin, read_index_answer{theirs, errc::not_leader, 0});
  routes_.refused(question->by, hint);
  wake();
}

void proxy::on_proposals_settled(const proposals_settled& settled) {
  for (const auto& [tag, index, term] : settled.accepted) {
    auto* command = pending_.find(tag);
    if (!command || !command->in<command_state::proposed>()) continue;
    command->state = command_state::accepted{index, term};
    accepted_.add({index, tag});
    if (index <= applied_)
      settle(tag, errc::outcome_unknown, "its log index was applied before the command was known to be there");
  }
  for (const auto& [tag, why, leader] : settled.failed) refuse(tag, why, leader);
  wake();
}

void proxy::refuse(raft::tag_t tag, raft::reject_reason why, node_id leader) {
  if (const auto answer = answer_to(why)) return settle(tag, answer->code, answer->text);
  retry(tag);
  routes_.refused(options_.self, leader);
}

void proxy::on_applied(applied_batch& batch) {
  for (auto& item : batch.items) {
    applied_ = std::max(applied_, item.index);
    while (const auto next = accepted_.next(item.index)) {
      const auto* command = pending_.find(next->tag);
      const auto* in_log = command ? command->in<command_state::accepted>() : nullptr;
      if (!in_log) continue; // answered already
      if (next->index != item.index)
        settle(next->tag, errc::outcome_unknown, "its log index was covered by a snapshot");
      else if (in_log->term != item.term)
        retry(next->tag); // another leader's entry took its place
      else
        settle(next->tag, {0, item.code, item.index, std::move(item.payload)});
    }
  }
  if (!outbox_.empty()) wake();
}

void proxy::on_covered(index_t up_to) {
  applied_ = std::max(applied_, up_to);
  while (const auto next = accepted_.next(up_to)) {
    const auto* command = pending_.find(next->tag);
    if (command && command->in<command_state::accepted>())
      settle(next->tag, errc::outcome_unknown, "its log index was covered by a snapshot");
  }
}

void proxy::on_queried(queried_batch& batch) {
  for (auto& outcome : batch.outcomes) {
    const auto tag = outcome.number;
    const auto* command = pending_.find(tag);
    if (command && command->in<command_state::checking_quota>())
      on_quota_checked(outcome);
    else if (command && command->in<command_state::reading>())
      settle(tag, std::move(outcome));
  }
  wake();
}

void proxy::on_role_changed(const role_changed& change) {
  role_ = change.role;
  routes_.role_changed(change);
  // It arrives after everything that this proxy sent to the old role.
  if (change.previous) send(change.previous, drained{change.retiring});
  wake();
}

void proxy::on_link_up(const link_up& link) {
  if (const auto* old = routes_.find(link.peer.node); old && old->endpoint != link.endpoint)
    on_link_down(link.peer.node);
  routes_.link_up(link);
  wake();
}

/// Members accept nothing from a removed node, and it does not learn who leads. Its state can still be read.
void proxy::on_removal(bool removed) {
  removed_ = removed;
  if (!removed || routes_.leading()) return;
  for (const auto tag : pending_.select(
           [](const pending_command& c) { return c.in<command_state::waiting>() && c.how != access::stale_read; }))
    settle(tag, errc::not_ready, text_of(errc::not_ready));
  wake();
}

void proxy::on_link_down(node_id peer) {
  routes_.link_down(peer);
  // The next node that gets commands may still consider this node alive, forward them to it, and lose them.
  const auto lost = [&](const pending_command& c) {
    const auto* sent = c.in<command_state::forwarded>();
    return sent && sent->peer == peer && c.is_write();
  };
  if (routes_.is_client() && !pending_.select(lost).empty()) paused_until_ = clock().now() + options_.loss_pause;
  for (const auto tag : pending_.select([&](const pending_command& c) {
         const auto* sent = c.in<command_state::forwarded>();
         return sent && sent->peer == peer;
       })) {
    if (pending_.find(tag)->is_write())
      settle(tag, errc::outcome_unknown, "the connection to the node that had the command was lost");
    else
      retry(tag);
  }
  for (const auto number : confirmations_.asked_of(peer)) not_confirmed(number, {});
  wake();
}

void proxy::on_replica_up(const replica_up& replica) {
  // Discards what the old replica's actors sent after its end.
  on_replica_down(replica_down{});
  dispatcher_ = replica.dispatcher;
  services_ = replica.services;
  quota_.set_non_growing(replica.non_growing);
  wake();
}

void proxy::on_replica_down(const replica_down& what) {
  down_ = what;
  role_ = nullptr;
  dispatcher_ = nullptr;
  routes_.replica_down();
  for (const auto tag : pending_.select(
           [](const pending_command& c) { return c.in<command_state::proposed>() || c.in<command_state::accepted>(); }))
    settle(tag, errc::outcome_unknown,
           down_.code == errc::none && !down_.why.empty() ? down_.why : "this node failed while it held the command");
  for (const auto tag : pending_.select([](const pending_command& c) {
         return c.in<command_state::reading>() || c.in<command_state::checking_quota>();
       }))
    retry(tag);
  for (const auto number : confirmations_.asked_of(options_.self)) not_confirmed(number, {});
  accepted_.clear();
  applied_ = 0;
  // This node will not lead soon, and will not learn who leads.
  if (down_.code != errc::none)
    for (const auto tag :
         pending_.select([](const pending_command& c) { return c.in<command_state::waiting>() != nullptr; }))
      settle(tag, down_.code, text_of(down_.code));
  wake();
}

void proxy::on_timer(const timer& message) {
  if (!timer_.fired(message)) return;
  const auto now = clock().now();
  // The next check follows after a sweep interval, so commands that are due before it are answered now.
  const auto due = pending_.overdue(now + options_.sweep_interval);
  for (const auto tag : due) expire(tag);
  if (!due.empty()) queues_.prune(pending_);
  confirmations_.expire(now);
  routes_.retry();
  if (!pending_.empty() || !confirmations_.empty()) timer_.arm(this, now + options_.sweep_interval);
  wake();
}

void proxy::expire(raft::tag_t tag) {
  const auto& command = *pending_.find(tag);
  if (!command.in<command_state::waiting>()) {
    const bool may_be_done = command.is_write() && !command.is_held_back();
    return settle(tag, may_be_done ? errc::outcome_unknown : errc::deadline,
                  may_be_done ? "the deadline passed before the outcome was known" : "the deadline passed");
  }
  if (!routes_.is_client() && !dispatcher_) return settle(tag, errc::not_ready, "this node has no cluster yet");
  if (routes_.is_client() && !routes_.has_links())
    return settle(tag, errc::no_leader,
                  "no node could be reached until the deadline" +
                      (problem_.empty() ? "" : "; the last problem: " + problem_));
  if (!routes_.leader()) return settle(tag, errc::no_leader, "there was no leader until the deadline");
  settle(tag, errc::deadline, "the deadline passed while the command waited");
}

caf::result<proxy_drained> proxy::on_drain() {
  draining_ = true;
  drained_.push_back(make_response_promise<proxy_drained>());
  wake();
  return drained_.back();
}

void proxy::retry(raft::tag_t tag) {
  const auto* command = pending_.find(tag);
  if (!command) return;
  if (command->from_proxy) return settle(tag, errc::not_leader, text_of(errc::not_leader));
  if (down_.code != errc::none) return settle(tag, down_.code, text_of(down_.code));
  const auto again = pending_.retry(tag);
  queues_.add(again, *pending_.find(again), routes_.is_client());
  wake();
}

void proxy::settle(raft::tag_t tag, command_outcome outcome) {
  auto command = pending_.take(tag);
  if (!command) return;
  outcome.number = command->number;
  if (outcome.payload.size() > options_.max_result_bytes) {
    const bool carried_out = command->is_write() && outcome.code == errc::none;
    outcome = {command->number, carried_out ? errc::outcome_unknown : errc::too_large, outcome.index,
               carried_out ? "the command was done, but its result is too large to be returned"
                           : "the result is too large"};
  }
  outbox_.add(command->origin, std::move(outcome));
  wake();
}

void proxy::settle(raft::tag_t tag, errc code, std::string text) { settle(tag, {0, code, 0, std::move(text)}); }

} // namespace troupe
