// The outgoing messages of a proxy: a flush sends what was collected since the last one, in one message per receiver.
#include "actors/frontend/proxy.hpp"
#include "services/command.hpp"

#include <algorithm>
#include <utility>

namespace troupe {
namespace {

/// A forwarded command gets a little less than the remaining time, so that an answer at its deadline arrives in time.
std::uint32_t forwarded_timeout_ms(raft::duration left) {
  using namespace std::chrono_literals;
  const auto margin = std::min<raft::duration>(left / 10, 100ms);
  const auto given = std::chrono::duration_cast<std::chrono::milliseconds>(left - margin).count();
  return static_cast<std::uint32_t>(std::max<std::int64_t>(given, 1)); // 0 would mean a default
}

/// Whether the change adds a node without an address. The Raft core would accept it, as it knows members by id only.
bool lacks_address(const cluster_change& what) {
  const auto* change = std::get_if<raft::change_members>(&what);
  return change && std::any_of(change->add.begin(), change->add.end(),
                               [](const raft::addition& one) { return one.who.address.empty(); });
}

} // namespace

void proxy::wake() {
  if (flushing_) return;
  flushing_ = true;
  send(proxy_handle{this}, flush{});
}

void proxy::on_flush() {
  flushing_ = false;
  propose_and_forward();
  confirm_reads();
  read_stale();
  deliver();
  if (draining_ && pending_.empty()) {
    for (auto& promise : drained_) promise.deliver(proxy_drained{});
    quit();
  }
}

void proxy::propose_and_forward() {
  propose_batch batch;
  const auto propose = [&](raft::tag_t tag, pending_command& command) {
    if (command.change) return ask_role(tag, command);
    if (divert(tag, command.payload)) return;
    pending_.propose(command);
    batch.proposals.push_back({tag, command.payload});
  };
  if (routes_.leading())
    drain(queues_.from_proxies, pending_, propose);
  else
    drain(queues_.from_proxies, pending_, [this](raft::tag_t tag, const pending_command&) { retry(tag); });
  if (const auto target = routes_.next(); target.here)
    drain(queues_.writes, pending_, propose);
  else if (target && clock().now() >= paused_until_)
    forward(*target.peer);
  if (!batch.proposals.empty()) send(role_, std::move(batch));
}

/// Handles commands that are not proposed now: those for an unknown service, and those that need a quota check. Returns
/// false for a command to propose.
bool proxy::divert(raft::tag_t tag, const raft::bytes& payload) {
  const auto parts = services::decode_command(payload.view());
  if (!parts) return false;
  if (services_.contains(parts->service)) {
    if (!quota_.may_exceed(*parts, pending_.proposed_bytes())) return false;
    check_quota(tag, *parts);
    return true;
  }
  if (parts->service == services::cluster_service) return false;
  settle(tag, errc::unknown_service, services::why_no_service(parts->service));
  return true;
}

/// Passes a change of the cluster to the role, which decides on it.
void proxy::ask_role(raft::tag_t tag, pending_command& command) {
  if (lacks_address(*command.change)) return refuse(tag, raft::reject_reason::invalid_address, {});
  pending_.propose(command);
  std::visit(
      [&](auto request) {
        request.tag = tag;
        send(role_, std::move(request));
      },
      *command.change);
}

/// Asks the service whether the command makes the state larger, as it may replace something larger.
void proxy::check_quota(raft::tag_t tag, const services::command_view& what) {
  if (!dispatcher_) return retry(tag);
  auto& command = *pending_.find(tag);
  if (!pending_.check_quota(command))
    return settle(tag, errc::overloaded, "too many commands wait for a check against the state quota");
  query_batch batch{0, {}};
  batch.queries.push_back({tag, raft::bytes{services::encode_adds_query(what)}});
  send(dispatcher_, std::move(batch));
}

/// Decides before the command is in a log, because every node applies what is in its log.
void proxy::on_quota_checked(const command_outcome& answer) {
  const auto tag = answer.number;
  if (!routes_.leading()) return retry(tag);
  if (answer.code != errc::none || answer.payload != services::would_not_add) {
    auto why = quota_.objection();
    if (answer.code != errc::none)
      why += " (checking whether this command makes it larger failed: " + answer.payload + ")";
    settle(tag, errc::state_full, std::move(why));
    return;
  }
  auto& command = *pending_.find(tag);
  pending_.propose(command);
  propose_batch batch;
  batch.proposals.push_back({tag, command.payload});
  send(role_, std::move(batch));
}

void proxy::forward(const routes::link& to) {
  const auto now = clock().now();
  const command_batch none{!routes_.is_client(), {}, {}};
  auto batch = none;
  std::size_t count = 0;
  std::size_t bytes = 0;
  drain(queues_.writes, pending_, [&](raft::tag_t tag, pending_command& command) {
    if (count > 0 && (bytes + command.bytes() > options_.max_message_bytes || count >= max_listed)) {
      send(to.endpoint, std::exchange(batch, none));
      count = bytes = 0;
    }
    ++count;
    bytes += command.bytes();
    command.state = command_state::forwarded{to.peer};
    const auto timeout_ms = forwarded_timeout_ms(command.deadline - now);
    if (command.change)
      batch.changes.push_back({tag, timeout_ms, *command.change});
    else
      batch.commands.push_back({tag, command.how, timeout_ms, command.payload});
  });
  if (count > 0) send(to.endpoint, std::move(batch));
}

void proxy::confirm_reads() {
  confirmation question;
  question.deadline = clock().now() + options_.default_timeout;
  if (routes_.leading())
    question.remotes = std::exchange(index_requests_, {});
  else
    for (const auto& [origin, number] : std::exchange(index_requests_, {}))
      send(origin, read_index_answer{number, errc::not_leader, 0});
  const auto target = routes_.next();
  if (target)
    drain(queues_.reads, pending_, [&](raft::tag_t tag, pending_command& command) {
      command.state = command_state::confirming{};
      question.deadline = std::max(question.deadline, command.deadline);
      question.reads.push_back(tag);
    });
  if (question.reads.empty() && question.remotes.empty()) return;
  const auto number = pending_.draw_tag();
  timer_.arm(this, clock().now() + options_.sweep_interval);
  if (routes_.leading()) {
    question.by = options_.self;
    send(role_, read_index{number});
  } else {
    question.by = target.peer->peer;
    send(target.peer->endpoint, read_index_request{number});
  }
  confirmations_.add(number, std::move(question));
}

void proxy::read_stale() {
  if (!dispatcher_ || queues_.stale_reads.empty()) return;
  const auto tags = std::exchange(queues_.stale_reads, {});
  read_at(0, {tags.begin(), tags.end()});
}

void proxy::read_at(index_t at, const std::vector<raft::tag_t>& tags) {
  query_batch batch{at, {}};
  for (const auto tag : tags) {
    auto* command = pending_.find(tag);
    if (!command) continue; // answered already
    if (!dispatcher_) {
      retry(tag);
      continue;
    }
    command->state = command_state::reading{};
    batch.queries.push_back({tag, command->payload});
  }
  if (!batch.queries.empty()) send(dispatcher_, std::move(batch));
}

void proxy::deliver() {
  if (outbox_.empty()) return;
  const auto leader = removed_ ? routes_.last_leader() : routes_.leader();
  const auto address = routes_.address_of(leader);
  outbox_.drain(options_.max_message_bytes, [&](const requester_handle& to, std::vector<command_outcome> outcomes) {
    send(to, outcome_batch{leader, address, std::move(outcomes)});
  });
}

} // namespace troupe
