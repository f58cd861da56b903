#include "actors/replica/role_shell.hpp"

#include "actors/replica/replicator.hpp"
#include "raft/describe.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <troupe/log.hpp>
#include <type_traits>
#include <utility>

namespace troupe {

namespace {

std::vector<raft::transfer_status> transfers_of(const raft::leader& role, raft::time_point now) {
  return role.transfers(now);
}
std::vector<raft::transfer_status> transfers_of(const raft::follower&, raft::time_point) { return {}; }
std::vector<raft::transfer_status> transfers_of(const raft::candidate&, raft::time_point) { return {}; }

const char* reason_of(raft::log_limit limit) {
  switch (limit) {
  case raft::log_limit::bytes:
    return "its size exceeds catch_up_log_bytes";
  case raft::log_limit::time:
    return "catch_up_log_time is exceeded";
  case raft::log_limit::no_progress:
    return "the node makes no progress";
  }
  return "?";
}

void trace_step(const raft::node_state& state, raft::role_kind role, const std::string& event,
                const raft::output& out) {
  const auto effects = raft::describe(out, trace::max_line);
  trace::write(trace::raft, fmt::format("node {} {} term {} last {} commit {}: {}{}{}", to_string(state.self()),
                                        raft::to_string(role), state.term(), state.log().last_index(), state.commit(),
                                        event, effects.empty() ? "" : " => ", effects));
}

} // namespace

template <class Role>
role_shell<Role>::role_shell(caf::actor_config& config, role_context context, Role role, predecessor before)
    : compat::typed_base<role_handle>(config), context_(std::move(context)), role_(std::move(role)),
      before_(std::move(before)) {
  // Without the log store there is no replica. A role that was spawned while the replica or the node was being stopped
  // exits with the log store. It exits normally, since it is not the cause.
  this->set_down_handler([this](const caf::down_msg&) { this->quit(); });
  this->monitor(context_.log);
}

template <class Role> const char* role_shell<Role>::name() const { return raft::to_string(Role::kind); }

template <class Role> role_handle::behavior_type role_shell<Role>::make_behavior() {
  compat::end_on_exceptions(this);
  begin();
  return {
      [this](const raft::vote_request& m) { on_rpc(m); },
      [this](const raft::vote_response& m) { on_rpc(m); },
      [this](const raft::append_request& m) { on_rpc(m); },
      [this](const raft::append_response& m) { on_rpc(m); },
      [this](const raft::snapshot_request& m) { on_rpc(m); },
      [this](const raft::snapshot_response& m) { on_rpc(m); },
      [this](const raft::timeout_now& m) { on_rpc(m); },
      [this](const raft::removed_notice& m) { on_rpc(m); },
      [this](const raft::removed_answer& m) { on_rpc(m); },
      [this](const raft::change_members& m) { on_leader_request(m); },
      [this](const raft::transfer_leadership& m) { on_leader_request(m); },
      [this](const propose_batch& m) { on_proposals(m); },
      [this](const read_index& m) { on_read(m); },
      [this](const log_synced& m) { on_synced(m); },
      [this](const chunk_stored& m) { on_stored(m); },
      [this](const raft::snapshot_taken& m) { on_disk_fact(m); },
      [this](const raft::disk_space& m) {
        // Do not forward: the log store sent the successor newer information when it attached.
        if (!successor_) step(m);
      },
      [this](const raft::state_missing& m) { on_disk_fact(m); },
      [this](const replicator_report& m) { on_report(m); },
      [this](const replicator_fetch& m) { on_fetch(m); },
      [this](const flow_mark& m) {
        if (successor_) return to_successor(m);
        const auto& state = role_.state();
        if (!state.all_durable() && !state.disk_stalled()) marks_.emplace_back(state.last_write(), m);
      },
      [this](const drained& m) { on_drained(m); },
      [this](const timer& m) { on_timer(m); },
      [this](const get_role_report&) { return status(); },
  };
}

template <class Role> void role_shell<Role>::on_end() {
  context_ = {};
  before_ = {};
  successor_ = nullptr;
  marks_.clear();
  stop_replicators();
}

template <class Role> void role_shell<Role>::begin() {
  const role_handle self{this};
  // Attach before this role writes anything. The log store answers with the current durable mark.
  this->send(context_.log, attach_role{context_.epoch, self});
  const role_changed change{context_.epoch, Role::kind, role_.state().term(), self, before_.epoch, before_.role};
  context_.for_each_sender([&](const auto& to) {
    ++drains_left_;
    this->send(to, change);
  });
  // If there is a predecessor, it has already announced this role to the observer.
  if (!before_.role) this->send(context_.observer, change);
  auto out = role_.start(this->clock().now());
  if (trace::is_on(trace::raft)) trace_step(role_.state(), Role::kind, "starts", out);
  execute(std::move(out));
  if (const auto before = std::exchange(before_, {}); before.carry) on_rpc(*before.carry);
}

template <class Role> void role_shell<Role>::on_rpc(const raft::rpc& message) {
  if (successor_) {
    std::visit([this](const auto& m) { this->to_successor(m); }, message);
    return;
  }
  record_contact(message);
  step(message);
}

template <class Role> void role_shell<Role>::on_proposals(const propose_batch& batch) {
  // A proposal is meant for this role's term. The successor's term may differ, so a proposal is never forwarded.
  if (!successor_) return step(raft::propose{batch.proposals});
  proposals_settled answer;
  for (const auto& p : batch.proposals) answer.failed.push_back({p.tag, raft::reject_reason::not_leader, {}});
  this->send(context_.proxy, std::move(answer));
}

template <class Role> void role_shell<Role>::on_read(const read_index& request) {
  if (!successor_) return step(raft::read_request{request.tag});
  this->send(context_.proxy, reads_settled{{}, {{request.tag, raft::reject_reason::not_leader, {}}}});
}

template <class Role> template <class Request> void role_shell<Role>::on_leader_request(const Request& request) {
  if (!successor_) return step(request);
  if (request.tag != 0)
    this->send(context_.proxy, proposals_settled{{}, {{request.tag, raft::reject_reason::not_leader, {}}}});
}

template <class Role> void role_shell<Role>::on_synced(const log_synced& synced) {
  if (successor_) return to_successor(synced);
  while (!marks_.empty() && marks_.front().first <= synced.mark.number) marks_.pop_front();
  step(raft::persisted{synced.mark});
}

template <class Role> template <class Fact> void role_shell<Role>::on_disk_fact(const Fact& fact) {
  if (successor_) return to_successor(fact);
  step(fact);
}

template <class Role> void role_shell<Role>::on_stored(const chunk_stored& stored) {
  if (successor_) return to_successor(stored);
  offered_ = stored.state;
  step(stored.what);
  offered_.reset();
}

template <class Role> void role_shell<Role>::on_report(const replicator_report& report) {
  if (!successor_ && report.epoch == context_.epoch) step(report.report);
}

template <class Role> void role_shell<Role>::on_fetch(const replicator_fetch& fetch) {
  if constexpr (std::is_same_v<Role, raft::leader>) {
    const auto replicator = replicators_.find(fetch.peer);
    if (successor_ || fetch.epoch != context_.epoch || replicator == replicators_.end()) return;
    auto answer = role_.answer(fetch.request);
    const auto& log = role_.state().log();
    if (!answer.entries.empty() || answer.compacted || answer.first > log.last_index()) {
      this->send(replicator->second, std::move(answer));
      return;
    }
    // The entries are no longer in memory, so they are on disk. A leader never truncates its own log.
    const read_log missing{answer.first, log.first_cached() - 1, fetch.request.max_bytes};
    this->request(context_.log, caf::infinite, missing)
        .then([this, to = replicator->second, answer = std::move(answer)](const log_chunk& chunk) mutable {
          answer.entries = chunk.entries;
          this->send(to, std::move(answer));
        });
  }
}

template <class Role> void role_shell<Role>::on_drained(const drained& message) {
  if (successor_ && message.epoch == context_.epoch && --drains_left_ == 0) this->quit();
}

template <class Role> void role_shell<Role>::on_timer(const timer& message) {
  if (!timer_.fired(message) || successor_) return;
  step(raft::tick{});
}

template <class Role> role_report role_shell<Role>::status() const {
  const auto& state = role_.state();
  const auto now = this->clock().now();
  role_report report;
  auto& shown = report.role;
  shown.kind = Role::kind;
  shown.term = state.term();
  shown.leader = role_.leader_hint();
  shown.last_index = state.log().last_index();
  shown.commit = state.commit();
  shown.configuration_index = state.log().configuration_index();
  shown.changing = state.members().joint();
  shown.log_start = state.log().start().index;
  shown.state_lost = state.needs_snapshot() > 0;
  shown.installing = state.installing();
  shown.transfers = transfers_of(role_, now);
  report.members = state.members();
  report.leader_heard = role_.leader_heard();
  report.ready_at = context_.ready_at;
  report.disk_full = !state.has_room();
  if (state.disk_stalled()) report.disk_stalled = state.disk_wait(now);
  report.behind = state.behind_for(now);
  return report;
}

template <class Role> void role_shell<Role>::step(const raft::event& event) {
  auto out = role_.step(event, this->clock().now());
  if (trace::is_on(trace::raft))
    trace_step(role_.state(), Role::kind, raft::describe(event, raft::text_style::log), out);
  proposals_settled proposals{std::move(out.accepted_now), std::move(out.failed_proposals)};
  reads_settled reads{std::move(out.reads), std::move(out.failed_reads)};
  const auto failed_transfer = out.failed_transfer;
  if (!proposals.accepted.empty() || !proposals.failed.empty()) this->send(context_.proxy, std::move(proposals));
  execute(std::move(out));
  if (!reads.ready.empty() || !reads.failed.empty()) this->send(context_.proxy, std::move(reads));
  if (failed_transfer) this->send(context_.proxy, transfer_failed{*failed_transfer});
}

template <class Role> void role_shell<Role>::execute(raft::output&& out) {
  role_.state().validate(out);
  if (out.write_now || !out.send_after_persist.empty()) {
    store_write message;
    if (out.write_now) message.change = std::move(*out.write_now);
    message.then_send = std::move(out.send_after_persist);
    this->send(context_.log, std::move(message));
  }
  if (!out.send_now.empty()) this->send(context_.links, outbound{std::move(out.send_now)});
  if (out.replicate_now && !replicators_.empty()) {
    const auto shared = caf::make_message(std::move(*out.replicate_now));
    for (const auto& [peer, replicator] : replicators_)
      compat::anon_send(caf::actor_cast<caf::actor>(replicator), shared);
  }
  if (out.membership) start_replicators(*out.membership);
  if (out.store_chunk) this->send(context_.snapshots, store_chunk{std::move(*out.store_chunk)});
  if (out.load) {
    this->send(context_.dispatcher, adopt_state{offered_});
    context_.dispatched = out.load->last.index;
  }
  if (out.commit_to) release(*out.commit_to);
  if (out.compact_to) this->send(context_.log, compact_log{*out.compact_to});
  if (out.transferred_now) this->send(context_.proxy, *out.transferred_now);
  if (out.removed) {
    const auto left_before = this->clock().now() - out.removed_for;
    this->send(context_.observer, removed_from_cluster{*out.removed, out.dismissed, left_before});
  }
  if (out.disk_stalled) {
    if (*out.disk_stalled) marks_.clear();
    this->send(context_.observer, disk_condition{*out.disk_stalled, role_.state().disk_wait(this->clock().now())});
  }
  report_peers(out);
  announce_leader();
  announce_members();
  if (out.next_role) return become(std::move(*out.next_role));
  timer_.arm(this, role_.deadline());
}

template <class Role> void role_shell<Role>::start_replicators(const raft::membership_change& change) {
  if constexpr (std::is_same_v<Role, raft::leader>) {
    for (const auto& peer : change.start) {
      const auto child = this->template spawn<replicator_shell, caf::linked>(
          replicator_context{context_.epoch, context_.links, role_handle{this}, context_.snapshots},
          role_.seed_for(peer.id));
      replicators_[peer.id] = child;
      this->send(context_.endpoint, replicator_started{role_.state().term(), peer.id, child});
    }
    for (const auto& peer : change.stop) {
      const auto child = replicators_.find(peer);
      if (child == replicators_.end()) continue;
      this->unlink_from(child->second);
      this->send_exit(child->second, caf::exit_reason::user_shutdown);
      replicators_.erase(child);
    }
  } else {
    static_cast<void>(change);
  }
}

template <class Role> void role_shell<Role>::release(index_t up_to) {
  const auto& log = role_.state().log();
  const auto first = std::max(context_.dispatched + 1, log.first_cached());
  this->send(context_.dispatcher, commit_entries{up_to, log.slice(first, up_to, SIZE_MAX)});
  context_.dispatched = up_to;
  if (Role::kind == raft::role_kind::leader && !context_.ready_at) context_.ready_at = up_to;
}

template <class Role> void role_shell<Role>::report_peers(const raft::output& out) {
  for (const auto& lost : out.broken_promises) {
    log().error(
        "node {} lost entries that it had acknowledged: it confirmed the log up to {}, but now has nothing after {}; "
        "do not trust its disk",
        to_string(lost.peer), lost.what.acknowledged, lost.what.found);
    this->send(context_.observer, lost);
  }
  for (const auto& kept : out.released_logs)
    log().warn(
        "the log is no longer kept for node {}, which is being caught up by a snapshot ({} bytes, for {} s): {}; the "
        "node may need another snapshot",
        to_string(kept.peer), kept.bytes, std::chrono::duration_cast<std::chrono::seconds>(kept.held).count(),
        reason_of(kept.why));
}

template <class Role> void role_shell<Role>::announce_leader() {
  const leader_known now{role_.state().term(), role_.leader_hint()};
  if (announced_leader_ && announced_leader_->term == now.term && announced_leader_->leader == now.leader) return;
  announced_leader_ = now;
  this->send(context_.proxy, now);
  this->send(context_.endpoint, now);
  this->send(context_.observer, now);
}

template <class Role> void role_shell<Role>::announce_members() {
  const auto& log = role_.state().log();
  const auto index = log.configuration_index();
  // Announce only a configuration that is on disk, since the node records permanently that it has been a member.
  if (index > role_.state().durable_index()) return;
  // A new leader may replace a configuration by a different one at the same index.
  const raft::log_position at{index, log.term_at(index).value_or(0)};
  if (announced_members_ == at) return;
  announced_members_ = at;
  this->send(context_.observer, configuration_known{index, log.current()});
}

template <class Role> void role_shell<Role>::record_contact(const raft::rpc& message) {
  if (context_.ready_at) return;
  const auto* request = std::get_if<raft::append_request>(&message);
  if (request && request->head.term >= role_.state().term()) context_.ready_at = request->commit;
}

template <class Role> void role_shell<Role>::become(raft::transition next) {
  if constexpr (std::is_same_v<Role, raft::follower>) {
    if (next.to == raft::role_kind::candidate) return spawn_successor<raft::candidate>(std::move(next.carry));
  } else if constexpr (std::is_same_v<Role, raft::candidate>) {
    if (next.to == raft::role_kind::leader) return spawn_successor<raft::leader>(std::move(next.carry));
    if (next.to == raft::role_kind::follower) return spawn_successor<raft::follower>(std::move(next.carry));
  } else {
    if (next.to == raft::role_kind::follower) return spawn_successor<raft::follower>(std::move(next.carry));
  }
  throw std::logic_error("raft: no such transition");
}

template <class Role> void role_shell<Role>::stop_replicators() {
  for (const auto& [peer, replicator] : replicators_) {
    this->unlink_from(replicator);
    this->send_exit(replicator, caf::exit_reason::user_shutdown);
  }
  replicators_.clear();
}

template <class Role> template <class Next> void role_shell<Role>::spawn_successor(std::optional<raft::rpc> carry) {
  stop_replicators();
  auto next = context_;
  ++next.epoch;
  const auto epoch = next.epoch;
  const auto term = role_.state().term();
  successor_ = this->template spawn<role_shell<Next>>(std::move(next), Next{std::move(role_)},
                                                      predecessor{context_.epoch, role_handle{this}, std::move(carry)});
  for (const auto& [number, mark] : std::exchange(marks_, {})) to_successor(mark);
  // Sent by this role, not by the successor: the observer must learn of the successor before this role ends.
  this->send(context_.observer, role_changed{epoch, Next::kind, term, successor_, context_.epoch, role_handle{this}});
}

template <class Role> template <class Message> void role_shell<Role>::to_successor(const Message& message) {
  this->send(successor_, message);
}

template class role_shell<raft::follower>;
template class role_shell<raft::candidate>;
template class role_shell<raft::leader>;

} // namespace troupe
