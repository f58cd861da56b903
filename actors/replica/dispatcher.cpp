#include "actors/replica/dispatcher.hpp"

#include "services/command.hpp"
#include "services/restore_command.hpp"

#include <algorithm>
#include <troupe/log.hpp>
#include <utility>

namespace troupe {
namespace {

/// Limit of entries that services have not answered, in bytes; beyond it the dispatcher sends no more.
constexpr std::size_t max_outstanding_bytes = 16 << 20;
/// The same limit in entries, so that a long replay regularly yields the scheduler's thread to other actors.
constexpr index_t max_outstanding_entries = 16'384;
/// How much is read from the log at a time.
constexpr std::size_t fetch_bytes = 4 << 20;
/// Limit of requests that wait for a snapshot. Requests whose callers have given up still count.
constexpr std::size_t max_requests = 256;

} // namespace

dispatcher::dispatcher(caf::actor_config& config, dispatcher_setup setup)
    : compat::typed_base<dispatcher_handle>(config), services_(std::move(setup.services)),
      proxy_(std::move(setup.proxy)), log_(std::move(setup.log)), snapshots_(std::move(setup.snapshots)),
      staging_(std::move(setup.staging)), tell_size_(setup.tell_size), state_lost_(setup.state_lost),
      snapshot_(setup.policy, setup.seed, setup.loaded) {
  for (const auto& [name, service] : services_) names_.emplace(service.address(), name);
  for (const auto& [name, bytes] : setup.state_bytes)
    if (services_.contains(name)) sizes_.set(name, bytes);
  if (!setup.at) return;
  handed_ = setup.at->last;
  target_ = applied_ = handed_.index;
  members_at_ = setup.at->configuration_index;
  members_ = setup.at->members;
}

dispatcher_handle::behavior_type dispatcher::make_behavior() {
  compat::end_on_exceptions(this);
  send(snapshots_, attach_dispatcher{dispatcher_handle{this}});
  if (tell_size_) send(proxy_, state_size{sizes_.total()});
  return {
      [this](const commit_entries& m) { on_commit(m); },
      [this](const query_batch& m) { on_query(m); },
      [this](applied_batch& m) { on_applied(m); },
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
        if (timer_.fired(m)) on_timer();
      },
      [this](const get_applied&) {
        const auto why = snapshot_.objection();
        const auto now = clock().now();
        return applied_status{applied_, snapshot_.newest(), why.empty() ? snapshot_.unfinished(now) : why,
                              lag_.behind(applied_, now), sizes_.total()};
      },
  };
}

void dispatcher::on_end() {
  services_.clear();
  proxy_ = nullptr;
  log_ = nullptr;
  snapshots_ = nullptr;
  staging_ = nullptr;
  role_ = nullptr;
  snapshot_.abandon();
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
  return !restoring_ && pipeline_.bytes() < max_outstanding_bytes && handed_.index - applied_ < max_outstanding_entries;
}

void dispatcher::catch_up() {
  if (fetching_ || handed_.index >= target_ || !may_hand_out()) return;
  fetching_ = true;
  request(log_, caf::infinite,
          read_log{handed_.index + 1, std::min(target_, handed_.index + max_outstanding_entries), fetch_bytes})
      .then([this](const log_chunk& chunk) {
        fetching_ = false;
        // Nothing is found if a snapshot has replaced the log. Its adopt_state message, which is on its way, continues.
        if (chunk.entries.empty()) return;
        // In between a snapshot may have been adopted, or a restore may have begun.
        if (!restoring_ && chunk.entries.front().index == handed_.index + 1) accept(chunk.entries);
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
  apply_pipeline::batch current;
  std::map<std::string, apply_batch> asked;
  for (const auto& e : entries) {
    route(e, current, asked);
    current.bytes += e.cost();
  }
  current.last = entries.back().index;
  handed_ = {entries.back().index, entries.back().term};
  snapshot_.logged(current.bytes, entries.size());
  std::vector<std::string> names;
  for (auto& [name, batch] : asked) {
    names.push_back(name);
    batch.replies_from = led_from_;
    send(services_.find(name)->second, std::move(batch));
  }
  add(std::move(current), names);
  snapshot_if_due();
}

void dispatcher::add(apply_pipeline::batch what, const std::vector<std::string>& services) {
  pipeline_.add(std::move(what), services);
  if (services.empty()) complete_batches();
  serve_waiting();
}

void dispatcher::serve_waiting() {
  reads_.take_up_to(handed_.index, [this](index_t at, const std::vector<query>& queries) { serve(at, queries); });
}

void dispatcher::route(const raft::entry& e, apply_pipeline::batch& current,
                       std::map<std::string, apply_batch>& asked) {
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
      snapshot_.skipped_commands_of(std::string{parts->service});
      answer_snapshot_requests();
      without_service.payload = services::why_no_service(parts->service);
    } else {
      asked[service->first].items.push_back({e.index, e.term, e.data.part(parts->tag), e.data.part(parts->payload)});
      return;
    }
  }
  current.items.push_back(std::move(without_service));
}

void dispatcher::on_applied(applied_batch& answer) {
  const auto& service = names_.at(caf::actor_cast<caf::actor_addr>(current_sender()));
  resized(service, answer.state_bytes);
  pipeline_.answered(service, std::move(answer.items));
  complete_batches();
}

void dispatcher::complete_batches() {
  while (auto complete = pipeline_.take_complete()) {
    applied_ = complete->last;
    if (complete->covered)
      send(proxy_, snapshot_covered{complete->last});
    else
      send(proxy_, applied_batch{std::move(complete->items), 0});
  }
  lag_.note(applied_, target_, clock().now());
  catch_up();
}

/// Notifies the proxy of the new size before it sends the outcomes of the commands that changed it.
void dispatcher::resized(const std::string& service, std::uint64_t bytes) {
  if (sizes_.set(service, bytes) && tell_size_) send(proxy_, state_size{sizes_.total()});
}

void dispatcher::on_query(const query_batch& message) {
  if (message.at <= handed_.index) return serve(message.at, message.queries);
  if (reads_.add(message)) return;
  queried_batch refused;
  for (const auto& q : message.queries)
    refused.outcomes.push_back({q.number, errc::overloaded, 0, "too many reads wait for this node to catch up"});
  send(proxy_, std::move(refused));
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

// -- states from elsewhere: restored backups, and snapshots of other nodes

void dispatcher::restore(const raft::entry& e, const raft::snapshot_id& backup) {
  restoring_ = {e.index, e.term};
  request(staging_, caf::infinite, load_backup{backup, e.index}).then([this](const backup_loaded& answer) {
    restored(answer);
  });
}

void dispatcher::restored(const backup_loaded& answer) {
  // A snapshot beyond the entry may have been adopted in the meantime.
  if (!restoring_ || restoring_->index != answer.at) {
    if (answer.state) discard(*answer.state);
    return;
  }
  if (!answer.state) {
    log().warn("the backup that is restored at index {} is missing on this node: waiting for another node's snapshot",
               answer.at);
    if (role_) send(role_, raft::state_missing{answer.at});
    return;
  }
  log().info("restored the state of backup {} at index {}", raft::to_string(raft::node_id{answer.state->id.checksum}),
             answer.at);
  replace_states(*answer.state);
  handed_ = *std::exchange(restoring_, std::nullopt);
  snapshot_.restored(handed_.index, answer.state->id);
  apply_pipeline::batch alone;
  alone.last = handed_.index;
  alone.items.push_back({handed_.index, handed_.term, errc::none, {}});
  add(std::move(alone), {});
  snapshot_if_due();
}

void dispatcher::adopt(const adopt_state& message) {
  auto& state = *message.state;
  if (state.at.last.index <= handed_.index) return discard(state);
  replace_states(state);
  handed_ = state.at.last;
  target_ = std::max(target_, handed_.index);
  members_at_ = state.at.configuration_index;
  members_ = state.at.members;
  state_lost_ = false;
  restoring_.reset(); // the snapshot is beyond that entry
  snapshot_.adopted(state.id);
  answer_snapshot_requests();
  apply_pipeline::batch covered;
  covered.last = handed_.index;
  covered.covered = true;
  add(std::move(covered), {}); // its outcome waits for the batches before it
}

void dispatcher::replace_states(loaded_state& state) {
  for (const auto& [name, service] : services_) {
    auto& machine = state.machines.at(name);
    resized(name, machine->state_bytes());
    send(service, replace_state{std::make_shared<std::unique_ptr<detail::machine>>(std::move(machine))});
  }
}

/// Frees an unused state on the snapshot store's thread, as it may be large.
void dispatcher::discard(loaded_state& state) {
  for (auto& [name, machine] : state.machines)
    if (machine)
      send(snapshots_, discarded_state{std::make_shared<std::unique_ptr<detail::machine>>(std::move(machine))});
}

// -- snapshots of this node

void dispatcher::snapshot_if_due() {
  if (snapshot_.due()) take_snapshot_now();
}

void dispatcher::take_snapshot_now() {
  if (!snapshot_.can_begin(handed_.index)) return;
  const auto number = snapshot_.begin({handed_, members_at_, members_}, services_.size(), clock().now());
  for (const auto& [name, service] : services_) send(service, view_state{number});
  write_snapshot_if_complete();
}

void dispatcher::collect_view(const state_view& answer) {
  snapshot_.add_view(names_.at(caf::actor_cast<caf::actor_addr>(current_sender())), answer);
  write_snapshot_if_complete();
}

/// Applied entries are committed, but may not be on this disk yet. If such a snapshot were written before them, it
/// could reach beyond the end of the log after a crash. The log would then begin after the snapshot, and the previous
/// snapshot would be useless.
void dispatcher::write_snapshot_if_complete() {
  auto what = snapshot_.take_complete();
  if (!what) return;
  request(log_, caf::infinite, sync_log{})
      .then([this, what = std::move(*what)](const log_synced&) mutable { send(snapshots_, std::move(what)); },
            [](const caf::error&) {}); // if the log store fails, the whole replica ends
}

void dispatcher::on_written(const snapshot_written& result) {
  snapshot_.written(result, clock().now());
  if (const auto at = snapshot_.retry_at()) timer_.arm(this, *at);
  answer_snapshot_requests();
  snapshot_if_due();
  if (!snapshot_requests_.empty()) take_requested_snapshot();
}

void dispatcher::on_timer() {
  if (const auto at = snapshot_.retry_at()) {
    if (clock().now() < *at) return timer_.arm(this, *at);
    snapshot_.end_pause();
    // The failed snapshot is still due, although the schedule has started to count from zero again.
    take_snapshot_now();
  } else if (!snapshot_requests_.empty()) {
    take_requested_snapshot();
  }
}

/// Takes a requested snapshot, after a pause since the previous one.
void dispatcher::take_requested_snapshot() {
  if (clock().now() < snapshot_.next_requested_at()) return timer_.arm(this, snapshot_.next_requested_at());
  take_snapshot_now();
}

/// Answers the requests that the newest snapshot satisfies, or all if no snapshot can be taken. The others wait for the
/// next one.
void dispatcher::answer_snapshot_requests() {
  std::erase_if(snapshot_requests_, [&](auto& asked) {
    auto& [reach, promise] = asked;
    if (snapshot_.newest().last.index >= reach)
      promise.deliver(snapshot_result{snapshot_.newest()});
    else if (snapshot_.blocked())
      promise.deliver(no_snapshot_now());
    else
      return false;
    return true;
  });
}

caf::error dispatcher::no_snapshot_now() const {
  return make_error({errc::refused, "cannot take a snapshot now: " + snapshot_.objection(), {}, {}});
}

void dispatcher::on_lost(const raft::snapshot_id& id) {
  if (snapshot_.lost(id)) take_snapshot_now();
}

caf::result<snapshot_result> dispatcher::on_take_snapshot() {
  const auto& newest = snapshot_.newest();
  if (!snapshot_.under_way() && handed_.index == newest.last.index && newest) return snapshot_result{newest};
  if (handed_.index == 0) return make_error({errc::not_ready, "nothing is applied yet", {}, {}});
  if (snapshot_.blocked()) return no_snapshot_now();
  if (snapshot_requests_.size() >= max_requests) {
    const auto unfinished = snapshot_.unfinished(clock().now());
    const auto why = "too many requests wait for a snapshot" + (unfinished.empty() ? "" : ": " + unfinished);
    return make_error({errc::overloaded, why, {}, {}});
  }
  auto promise = make_response_promise<snapshot_result>();
  snapshot_requests_.emplace_back(handed_.index, promise);
  take_requested_snapshot();
  return promise;
}

} // namespace troupe
