#include "actors/replica/dispatcher.hpp"

#include "services/command.hpp"
#include "services/restore_command.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace troupe {
namespace {

/// Limit of entries that services have not answered, in bytes; beyond it the dispatcher sends no more.
constexpr std::size_t max_outstanding_bytes = 16 << 20;
/// The same limit in entries, so that a long replay regularly yields the scheduler's thread to other actors.
constexpr index_t max_outstanding_entries = 16'384;
/// How much is read from the log at a time.
constexpr std::size_t fetch_bytes = 4 << 20;
/// Limit of reads that wait for an index; further ones are refused.
constexpr std::size_t max_waiting_queries = 100'000;

} // namespace

dispatcher::dispatcher(caf::actor_config& config, dispatcher_setup setup)
    : compat::typed_base<dispatcher_handle>(config), services_(std::move(setup.services)),
      proxy_(std::move(setup.proxy)), log_(std::move(setup.log)), snapshots_(std::move(setup.snapshots)),
      staging_(std::move(setup.staging)), state_lost_(setup.state_lost), schedule_(setup.policy, setup.seed),
      newest_(setup.loaded) {
  schedule_.wrote(newest_.size);
  for (const auto& [name, bytes] : setup.state_bytes)
    if (const auto service = services_.find(name); service != services_.end())
      resized(service->second.address(), bytes);
  tell_size_ = setup.tell_size;
  if (!setup.at) return;
  handed_ = setup.at->last;
  target_ = applied_ = handed_.index;
  members_at_ = setup.at->configuration_index;
  members_ = setup.at->members;
}

dispatcher_handle::behavior_type dispatcher::make_behavior() {
  compat::end_on_exceptions(this);
  send(snapshots_, attach_dispatcher{dispatcher_handle{this}});
  if (tell_size_) send(proxy_, state_size{state_bytes_});
  return {
      [this](const commit_entries& m) { on_commit(m); },
      [this](const query_batch& m) { on_query(m); },
      [this](applied_batch& m) { collect(m); },
      [this](queried_batch& m) { send(proxy_, std::move(m)); },
      [this](const role_changed& m) {
        role_ = m.role;
        if (m.kind == raft::role_kind::leader) led_from_ = std::min(led_from_, m.term);
        if (m.previous) send(m.previous, drained{m.retiring});
      },
      [this](const state_view& m) { collect_view(m); },
      [this](const adopt_state& m) { adopt(m); },
      [this](const discarded_state& m) { send(snapshots_, m); },
      [this](const take_snapshot&) { return on_take_snapshot(); },
      [this](const snapshot_written& m) { on_written(m); },
      [this](const snapshot_wanted&) { take_snapshot_now(); },
      [this](const snapshot_lost& m) { on_lost(m.id); },
      [this](const timer& m) {
        if (!timer_.fired(m)) return;
        // The failed snapshot is still due, although the schedule has started to count from zero again.
        if (backing_off_ && clock().now() < retry_at_) return timer_.arm(this, retry_at_);
        if (std::exchange(backing_off_, false))
          take_snapshot_now();
        else if (!snapshot_requests_.empty())
          take_requested_snapshot();
      },
      [this](const get_applied&) {
        const auto why = why_no_snapshot();
        return applied_status{applied_, newest_, why.empty() ? unfinished_snapshot() : why,
                              lag_.behind(applied_, clock().now()), state_bytes_};
      },
  };
}

void dispatcher::on_exit() {
  services_.clear();
  proxy_ = nullptr;
  log_ = nullptr;
  snapshots_ = nullptr;
  staging_ = nullptr;
  role_ = nullptr;
  viewing_.reset();
  for (auto& [reach, promise] : snapshot_requests_)
    promise.deliver(make_error({errc::stopping, "the node's replica stopped", {}, {}}));
  snapshot_requests_.clear();
}

void dispatcher::on_commit(const commit_entries& message) {
  target_ = std::max(target_, message.up_to);
  lag_.note(applied_, target_, clock().now());
  const bool contiguous = !message.entries.empty() && message.entries.front().index == handed_.index + 1;
  if (!fetching_ && contiguous && may_hand_out()) accept(message.entries);
  catch_up();
}

bool dispatcher::may_hand_out() const {
  return !restoring_ && outstanding_bytes_ < max_outstanding_bytes &&
         handed_.index - applied_ < max_outstanding_entries;
}

void dispatcher::catch_up() {
  if (fetching_ || handed_.index >= target_ || !may_hand_out()) return;
  fetching_ = true;
  request(log_, caf::infinite,
          read_log{handed_.index + 1, std::min(target_, handed_.index + max_outstanding_entries), fetch_bytes})
      .then([this](const log_piece& piece) {
        fetching_ = false;
        // Nothing is found if a snapshot has replaced the log. Its adopt_state message, which is on its way, continues.
        if (piece.entries.empty()) return;
        // A snapshot may have been adopted in between.
        if (piece.entries.front().index == handed_.index + 1) accept(piece.entries);
        catch_up();
      });
}

/// Sends out the entries up to one that restores a backup. The entries after it apply to the restored state.
void dispatcher::accept(const std::vector<raft::entry>& entries) {
  std::optional<raft::snapshot_id> backup;
  const auto barrier = std::find_if(entries.begin(), entries.end(), [&](const raft::entry& e) {
    if (e.kind == raft::entry_kind::command) backup = services::restored_by(e.data.view(), e.index);
    return backup.has_value();
  });
  hand_out({entries.begin(), barrier});
  if (backup) restore(*barrier, *backup);
}

void dispatcher::hand_out(std::span<const raft::entry> entries) {
  if (entries.empty()) return;
  outstanding_batch current;
  std::map<service_handle, apply_batch> batches;
  for (const auto& e : entries) {
    route(e, current, batches);
    current.bytes += e.cost();
  }
  current.last = entries.back().index;
  handed_ = {entries.back().index, entries.back().term};
  schedule_.logged(current.bytes, entries.size());
  current.unanswered = batches.size();
  outstanding_bytes_ += current.bytes;
  const auto number = first_outstanding_ + outstanding_.size();
  outstanding_.push_back(std::move(current));
  for (auto& [service, batch] : batches) {
    expected_[service.address()].push_back(number);
    batch.replies_from = led_from_;
    send(service, std::move(batch));
  }
  if (batches.empty()) {
    applied_batch nothing;
    collect(nothing);
  }
  serve_waiting();
  snapshot_if_due();
}

void dispatcher::serve_waiting() {
  for (auto it = waiting_.begin(); it != waiting_.end() && it->first <= handed_.index; it = waiting_.erase(it)) {
    waiting_queries_ -= it->second.size();
    serve(it->first, it->second);
  }
}

void dispatcher::route(const raft::entry& e, outstanding_batch& current,
                       std::map<service_handle, apply_batch>& batches) {
  if (e.kind == raft::entry_kind::configuration) {
    members_at_ = e.index;
    // Configurations in the log always decode, since they were checked before they were appended.
    members_ = raft::decode_configuration(e.data.view()).value();
  }
  // Entries without a service are reported too: the proxy learns from them which proposals lost their index.
  applied_item without_service{e.index, e.term, errc::none, {}};
  if (e.kind == raft::entry_kind::command) {
    if (const auto parts = services::decode_command(e.data.view()); !parts) {
      without_service.code = errc::undecodable;
      without_service.payload = services::why_no_command(e.data.view());
    } else if (parts->service == services::cluster_service) {
      without_service.code = errc::refused;
      without_service.payload = services::why_no_restore(e.data.view());
    } else if (const auto service = services_.find(parts->service); service == services_.end()) {
      without_service.code = errc::unknown_service;
      if (missing_service_.empty()) missing_service_ = parts->service;
      answer_snapshot_requests();
      without_service.payload = services::why_no_service(parts->service);
    } else {
      batches[service->second].items.push_back({e.index, e.term, e.data.part(parts->tag), e.data.part(parts->payload)});
      return;
    }
  }
  current.items.push_back(std::move(without_service));
}

void dispatcher::collect(applied_batch& answer) {
  if (!answer.items.empty()) {
    const auto service = caf::actor_cast<caf::actor_addr>(current_sender());
    resized(service, answer.state_bytes);
    auto& expected = expected_[service];
    auto& mine = outstanding_[expected.front() - first_outstanding_];
    expected.pop_front();
    --mine.unanswered;
    if (mine.items.empty())
      mine.items = std::move(answer.items);
    else
      mine.items.insert(mine.items.end(), std::move_iterator{answer.items.begin()},
                        std::move_iterator{answer.items.end()});
  }
  // Batches are completed in log order, so that the proxy sees every index once and in order.
  while (!outstanding_.empty() && outstanding_.front().unanswered == 0) {
    auto& oldest = outstanding_.front();
    std::sort(oldest.items.begin(), oldest.items.end(), [](const auto& a, const auto& b) { return a.index < b.index; });
    applied_ = oldest.last;
    outstanding_bytes_ -= oldest.bytes;
    if (oldest.covered)
      send(proxy_, snapshot_covered{oldest.last});
    else
      send(proxy_, applied_batch{std::move(oldest.items), 0});
    outstanding_.pop_front();
    ++first_outstanding_;
  }
  lag_.note(applied_, target_, clock().now());
  catch_up();
}

/// Notifies the proxy of the new size before it sends the outcomes of the commands that changed it.
void dispatcher::resized(const caf::actor_addr& service, std::uint64_t bytes) {
  auto& known = sizes_[service];
  if (known == bytes) return;
  state_bytes_ += bytes - known;
  known = bytes;
  if (tell_size_) send(proxy_, state_size{state_bytes_});
}

void dispatcher::on_query(const query_batch& message) {
  if (message.at <= handed_.index) return serve(message.at, message.queries);
  if (waiting_queries_ + message.queries.size() > max_waiting_queries) {
    queried_batch refused;
    for (const auto& q : message.queries)
      refused.outcomes.push_back({q.number, errc::overloaded, 0, "too many reads wait for this node to catch up"});
    send(proxy_, std::move(refused));
    return;
  }
  waiting_queries_ += message.queries.size();
  waiting_.emplace(message.at, message.queries);
}

void dispatcher::serve(index_t at, const std::vector<query>& queries) {
  queried_batch answered;
  std::map<service_handle, query_items> batches;
  for (const auto& q : queries) {
    if (state_lost_) {
      answered.outcomes.push_back({q.number, errc::not_ready, 0, "this node is waiting for another node's state"});
      continue;
    }
    if (q.payload.empty()) { // the query only waits for the index
      answered.outcomes.push_back({q.number, errc::none, at, {}});
      continue;
    }
    const auto parts = services::decode_command(q.payload.view());
    const auto service = parts ? services_.find(parts->service) : services_.end();
    if (!parts) {
      answered.outcomes.push_back({q.number, errc::undecodable, 0, services::why_no_command(q.payload.view())});
    } else if (service == services_.end()) {
      answered.outcomes.push_back({q.number, errc::unknown_service, 0, services::why_no_service(parts->service)});
    } else {
      batches[service->second].items.push_back(
          {q.number, at, q.payload.part(parts->tag), q.payload.part(parts->payload)});
    }
  }
  for (auto& [service, batch] : batches) send(service, std::move(batch));
  if (!answered.outcomes.empty()) send(proxy_, std::move(answered));
}

} // namespace troupe
