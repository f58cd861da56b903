#include "runtime/node_actor.hpp"

#include "runtime/backup_job.hpp"
#include "runtime/proxy_question.hpp"
#include "runtime/restore_job.hpp"

#include <algorithm>
#include <troupe/log.hpp>
#include <troupe/threads.hpp>
#include <utility>

namespace troupe {
namespace {

/// An attempt to open on a full disk may copy a backup until the disk is full again, so the pause between attempts is
/// at least look_for_room_share times as long as the last attempt took.
constexpr auto look_for_room_after = std::chrono::seconds{1};
constexpr auto look_for_room_share = 10;

/// Limit of backup chunks that wait for the disk; each may have megabytes.
constexpr std::size_t max_unanswered_chunks = 8;
/// Delay of a retry after a temporary error, such as a lack of descriptors or threads.
constexpr auto try_again_after = std::chrono::milliseconds{500};
/// Threads of the opener and of the stores of the log, snapshots and backups, plus one for a job of the snapshot store.
constexpr std::size_t replica_threads = 5;

/// Time that the proxy gets to drain even if fronts have used up all of it.
constexpr auto least_to_drain = std::chrono::milliseconds{100};

/// A full disk, or an opening that waits for a retry, is logged at most this often.
constexpr auto complain_every = std::chrono::minutes{1};

caf::error not_running() { return make_error({errc::not_ready, "this node is not running", {}, {}}); }

bool is(errc code, const caf::error& e) { return compat::error_code(e) == static_cast<std::uint8_t>(code); }

} // namespace

node_actor::node_actor(caf::actor_config& config, node_setup setup)
    : compat::typed_base<node_actor_handle>(config), setup_(std::move(setup)), watchers_(setup_.id) {
  set_down_handler([this](const caf::down_msg& message) {
    if (!watchers_.remove(message.source)) on_down(message);
  });
}

// NOLINTNEXTLINE(readability-function-size): CAF takes the handlers of all messages at once
node_actor_handle::behavior_type node_actor::make_behavior() {
  compat::end_on_exceptions(this, [](const std::exception& e) {
    troupe::log().critical("the node ends: {}", e.what());
    return compat::reason_of(e);
  });
  return {
      [this](const get_status&) { return status(); },
      [this](const take_snapshot& m) -> caf::result<snapshot_result> {
        if (!has_replica() || !parts_.dispatcher) return not_running();
        return delegate(parts_.dispatcher, m);
      },
      [this](const make_backup& m) { return back_up(m); },
      [this](const change_membership& m) -> caf::result<membership_changed> {
        return ask_cluster<membership_changed>(raft::change_members{0, m.add, m.remove, m.based_on}, m.timeout,
                                               [](const proxy_answer& a) { return membership_changed{a.index}; });
      },
      [this](const move_leadership& m) -> caf::result<leadership_moved> {
        return ask_cluster<leadership_moved>(raft::transfer_leadership{0, m.to}, m.timeout, [](const proxy_answer& a) {
          return leadership_moved{raft::parse_node_id(a.payload).value_or(node_id{})};
        });
      },
      [this](const watch_events& m) {
        // A watcher that asks twice gets each event once, and is monitored once.
        if (watchers_.add(m.watcher)) monitor(m.watcher);
      },
      [this](const health_changed& m) { watchers_.on_health(m.peer, m.now); },
      [this](const leader_known& m) {
        if (!has_replica()) return;
        watchers_.on_leader(m.leader, m.term);
        leader_ = m.leader;
        tell_service_state();
      },
      [this](const stop_node& m) { begin_stop(m.leave); },
      [this](const read_backup& m) -> caf::result<backup_chunk> {
        if (!has_replica() || !parts_.snapshots) return not_running();
        return delegate(parts_.snapshots, m);
      },
      [this](const close_backup& m) {
        if (parts_.snapshots) send(parts_.snapshots, m);
      },
      [this](stage_backup& m) { return stage(m); },
      [this](const make_restore& m) { return restore(m); },
      [this](const node_actors& m) { set_actors(m); },
      [this](const part_started& m) {
        monitor(m.part);
        if (m.is_front) fronts_.emplace(m.part.address(), m.part);
      },
      [this](const membership_decision& m) { decided(m); },
      [this](const log_opened& m) { opened(*m.log); },
      [this](const role_changed& m) {
        if (!role_.role || m.epoch > role_.epoch) role_ = m;
        epoch_ = std::max(epoch_, m.epoch);
        watch(caf::actor_cast<caf::actor>(m.role));
        // The role was spawned while the replica was being stopped.
        if (!has_replica()) return send_exit(m.role, caf::exit_reason::user_shutdown);
        send(keeper_, m);
        watchers_.on_role(m.kind, m.term);
        if (phase_ == phase::handing_over && m.kind != raft::role_kind::leader) drain();
      },
      [this](const get_role_report& m) -> caf::result<role_report> {
        if (!serves() || !role_.role) return not_running();
        return delegate(role_.role, m);
      },
      [this](const configuration_known& m) { on_members(m); },
      [this](const removed_from_cluster& m) { on_removed(m); },
      [this](const disk_condition& m) {
        if (!has_replica()) return;
        const auto waited = std::chrono::duration_cast<std::chrono::milliseconds>(m.waited).count();
        if (m.stalled)
          troupe::log().error("node {}: the disk does not answer: a write has waited for {} ms; the node is not ready "
                              "until the disk answers",
                              to_string(setup_.id), waited);
        else
          troupe::log().warn("node {}: the disk answers again", to_string(setup_.id));
        watchers_.on_disk(m.stalled);
      },
      [this](const raft::broken_promise& m) {
        auto& of_peer = losses_[m.peer];
        ++of_peer.count;
        of_peer.last = m.what;
      },
      [this](const timer& m) {
        if (!timer_.fired(m)) return;
        if (phase_ == phase::stopping) return abandon_replica();
        if (phase_ == phase::handing_over) return drain(); // no voter took over the leadership in time
        const bool opens_again = phase_ == phase::opening && opening_put_off_;
        if (phase_ != phase::no_room && !opens_again) return;
        phase_ = phase::forming;
        if (!membership_.withdrawn) open_replica();
      },
  };
}

void node_actor::set_actors(const node_actors& message) {
  around_ = message;
  monitor(around_.endpoint);
  monitor(around_.links);
  monitor(around_.proxy);
  monitor(around_.formation);
  monitor(around_.health);
  send(around_.health, watch_health{health_watcher{this}});
  keeper_ = spawn<member_keeper>(setup_.id, setup_.members, around_.links, around_.health);
  monitor(keeper_);
  // The decision of formation may have arrived earlier.
  if (membership_.cluster && !membership_.withdrawn) open_replica();
}

void node_actor::decided(const membership_decision& message) {
  membership_ = message;
  if (membership_.withdrawn) {
    if (phase_ == phase::running) stop_replica({});
    return;
  }
  // The node has voted with an empty log so far. Now it starts from the backup of the decision.
  if (serves() && membership_.backup != opening_.backup) stop_replica({});
  if (phase_ == phase::forming && around_.proxy) open_replica();
}

void node_actor::open_replica() {
  phase_ = phase::opening;
  opening_put_off_ = false;
  opening_ = membership_;
  opening_since_ = clock().now();
  const thread_check check{setup_.detach_log ? replica_threads : 0};
  if (!check.objection().empty()) return put_off_opening(check.objection());
  const log_owner_handle owner{this};
  reading_ = std::stop_source{};
  log_opener_setup opener{setup_.open_log, membership_, setup_.services, reading_.get_token()};
  // The opener counts as a part of the replica: the node must not end while it holds the data directory.
  watch(setup_.detach_log ? spawn<log_opener, caf::detached>(std::move(opener), owner)
                          : spawn<log_opener>(std::move(opener), owner));
}

/// Stays in [opening], with the reason in the status, and retries later.
void node_actor::put_off_opening(const std::string& why) {
  opening_put_off_ = true;
  full_error_ = why;
  const auto now = clock().now();
  timer_.arm(this, now + try_again_after);
  if (now < complained_at_ + complain_every) return;
  complained_at_ = now;
  troupe::log().error("node {}: cannot open the data directory now, retrying: {}", to_string(setup_.id), why);
}

void node_actor::opened(opened_log& log) {
  if (phase_ != phase::opening) return;
  if (log.temporary) return put_off_opening(log.error);
  if (log.no_space) return wait_for_room(log.error, look_for_room_share * (clock().now() - opening_since_));
  if (!log.error.empty()) return finish(caf::make_error(caf::sec::runtime_error, log.error));
  if (membership_.withdrawn || membership_.cluster != opening_.cluster || membership_.backup != opening_.backup) {
    // The decision changed while the log was being opened.
    log.storage.reset();
    phase_ = phase::forming;
    if (!membership_.withdrawn) open_replica();
    return;
  }
  // Check again, since reading the log may have taken long.
  const thread_check check{setup_.detach_log ? replica_threads - 1 : 0};
  if (!check.objection().empty()) {
    log.storage.reset();
    return put_off_opening(check.objection());
  }
  for (const auto& note : log.disk.notes) troupe::log().warn("{}", note);
  if (log.disk.state_lost)
    troupe::log().warn("this node has no undamaged snapshot, and its log begins after entry {}: waiting for another "
                       "node's snapshot",
                       log.disk.start.index);
  start_replica(log);
}

void node_actor::start_replica(opened_log& log) {
  complained_at_ = {};
  phase_ = phase::running;
  watchers_.on_disk(false); // the disk answers, since it could be opened
  auto made = spawn_replica(*this, setup_, around_, epoch_, log, [this](const caf::actor& part) { watch(part); });
  parts_ = made.parts;
  send(around_.endpoint, staging_known{parts_.staging});
  send(around_.proxy, std::move(made.up));
  role_ = {};
  raft::node_state state{setup_.id, membership_.cluster, setup_.raft, setup_.seed + epoch_, log.disk};
  watch(spawn_first_role(*this, made, around_, observer_handle{this}, ++epoch_, std::move(state)));
}

void node_actor::watch(const caf::actor& part) {
  if (replica_.emplace(part.address(), part).second) monitor(part);
}

void node_actor::on_down(const caf::down_msg& message) {
  // A front ends when the last handle to it is released, or when its user ends it.
  if (fronts_.erase(message.source) > 0 && is_orderly(message.reason)) return;
  const bool of_replica = replica_.erase(message.source) > 0;
  const bool died = message.reason && message.reason != caf::exit_reason::user_shutdown;
  const bool full = died && message.source == parts_.log.address() && is(errc::disk_full, message.reason);
  // A node cannot work without its node_actors. The replica can be restarted, unless the disk failed.
  if (died && !of_replica) {
    fatal_ = true;
    failure_ = message.reason;
  }
  full_ = full_ || full;
  if (died && message.source == parts_.log.address() && is(errc::disk_failed, message.reason) && disk_error_.empty())
    disk_error_ = to_text(system(), message.reason);
  if (phase_ == phase::restarting || phase_ == phase::stopping) {
    if (of_replica && replica_.empty()) replica_stopped();
    return;
  }
  // A retired role ends normally, and so does the proxy after it was drained.
  if (!message.reason) return;
  troupe::log().error("node {}: one of its actors died: {}", to_string(setup_.id), to_text(system(), message.reason));
  // Restarts because of a full disk are not counted: the node waits for room as long as it takes.
  if (!full) restarts_.note(clock().now());
  stop_replica(message.reason);
}

void node_actor::stop_replica(const caf::error& why) {
  const bool ends = phase_ == phase::leaving || phase_ == phase::handing_over || phase_ == phase::draining ||
                    phase_ == phase::stopping;
  phase_ = ends ? phase::stopping : phase::restarting;
  if (!fatal_) failure_ = why;
  watchers_.on_end_of_replica();
  leader_ = {};
  tell_service_state();
  send(around_.proxy,
       replica_down{errc::none, ends ? "this node is shutting down while it holds the command" : std::string{}});
  send(around_.endpoint, replica_down{});
  send(around_.endpoint, staging_known{});
  send(keeper_, replica_down{});
  reading_.request_stop();
  if (replica_.empty()) return replica_stopped();
  for (const auto& [address, part] : replica_) send_exit(part, caf::exit_reason::user_shutdown);
  if (phase_ == phase::stopping) close_in_time();
}

void node_actor::close_in_time() {
  // Formation may wait for the disk as well. Treat it as a part of the replica, so that the node waits for both at the
  // same time.
  watch(caf::actor_cast<caf::actor>(around_.formation));
  send_exit(around_.formation, caf::exit_reason::user_shutdown);
  close_by_ = clock().now() + setup_.close_timeout;
  timer_.arm(this, close_by_);
}

/// The remaining actors of the replica hang in a disk call that does not return, and keep the data directory locked.
void node_actor::abandon_replica() {
  if (clock().now() < close_by_) return timer_.arm(this, close_by_);
  const auto why = std::to_string(replica_.size()) + " of its threads still wait for the disk, which does not answer";
  finish(make_error({errc::disk_failed, why, {}, {}}));
}

void node_actor::replica_stopped() {
  role_ = {};
  parts_ = {};
  if (phase_ == phase::stopping) return finish(fatal_ ? failure_ : caf::error{});
  phase_ = phase::forming;
  if (fatal_ || (disk_error_.empty() && restarts_.exceeded())) return finish(failure_);
  if (!disk_error_.empty()) {
    phase_ = phase::disk_failed;
    troupe::log().error("node {}: its disk failed, and it takes no part in the cluster until it is restarted: {}",
                        to_string(setup_.id), disk_error_);
    send(around_.proxy, replica_down{errc::disk_failed, disk_error_});
    return;
  }
  if (std::exchange(full_, false)) return wait_for_room(to_text(system(), failure_), {});
  if (!membership_.withdrawn) open_replica();
}

void node_actor::wait_for_room(const std::string& why, raft::duration at_least) {
  phase_ = phase::no_room;
  full_error_ = why;
  const auto now = clock().now();
  timer_.arm(this, now + std::max<raft::duration>(at_least, look_for_room_after));
  send(around_.proxy, replica_down{errc::disk_full, why});
  if (now < complained_at_ + complain_every) return;
  complained_at_ = now;
  troupe::log().error("node {}: the disk is full: {}", to_string(setup_.id), why);
}

/// Sends a request to the leader, whichever node that is, through the proxy.
template <class Done, class Failed>
void node_actor::ask_leader(const cluster_change& what, std::chrono::milliseconds timeout, Done answered,
                            Failed failed) {
  request(spawn<proxy_question>(around_.proxy), caf::infinite, ask_proxy{access::write, {}, timeout, what})
      .then(answered, failed);
}

void node_actor::begin_stop(bool leave) {
  if (phase_ == phase::handing_over || (phase_ == phase::leaving && leave)) return;
  // A second stop without `leave` skips leaving.
  if (!leave || phase_ == phase::draining || phase_ == phase::stopping) return hand_over();
  if (phase_ != phase::running || !members_.is_member(setup_.id)) {
    troupe::log().warn("node {} stops without leaving a cluster: {}", to_string(setup_.id),
                       phase_ == phase::running ? "it is not a member of one"
                                                : "it is not running; if it is a member, it remains one");
    return hand_over();
  }
  phase_ = phase::leaving;
  raft::change_members change;
  change.remove.push_back(setup_.id);
  ask_leader(
      change, setup_.drain_timeout,
      [this](const proxy_answer&) {
        troupe::log().info("node {} has left the cluster", to_string(setup_.id));
        if (phase_ == phase::leaving) hand_over();
      },
      [this](const caf::error& why) {
        troupe::log().error("node {} could not leave the cluster: {}", to_string(setup_.id), to_text(system(), why));
        if (phase_ == phase::leaving) hand_over();
      });
}

/// The rest of drain_timeout, which starts with the first stop request and covers everything before the replica is
/// stopped. The proxy gets some time even if the fronts hang.
std::chrono::milliseconds node_actor::left_to_drain() {
  const auto now = clock().now();
  if (drain_by_ == raft::time_point{}) drain_by_ = now + setup_.drain_timeout;
  return std::max(least_to_drain, std::chrono::duration_cast<std::chrono::milliseconds>(drain_by_ - now));
}

/// Transfers leadership first, if this node leads: otherwise the cluster has no leader for an election timeout.
void node_actor::hand_over() {
  if (!serves() || role_.kind != raft::role_kind::leader || members_.voters.size() < 2) return drain();
  phase_ = phase::handing_over;
  send(role_.role, raft::transfer_leadership{});
  timer_.arm(this, clock().now() + std::min<raft::duration>(setup_.raft.election_max, left_to_drain()));
}

void node_actor::drain() {
  if (phase_ == phase::draining || phase_ == phase::stopping) return;
  if (phase_ == phase::restarting) {
    phase_ = phase::stopping;
    return close_in_time();
  }
  phase_ = phase::draining;
  // Drain the fronts first, so that the proxy has all of their requests before it is drained.
  fronts_holding_ = fronts_.size();
  const auto handed_on = [this] {
    if (--fronts_holding_ == 0) drain_proxy_next();
  };
  for (const auto& [address, front] : fronts_)
    request(caf::actor_cast<drainable_front>(front), left_to_drain(), drain_front{})
        .then([handed_on](const front_drained&) { handed_on(); }, [handed_on](const caf::error&) { handed_on(); });
  if (fronts_.empty()) drain_proxy_next();
}

void node_actor::drain_proxy_next() {
  // If an actor of the replica died in the meantime, stopping has already started.
  if (phase_ != phase::draining) return;
  const auto drained = [this] {
    if (phase_ == phase::draining) stop_replica({});
  };
  request(around_.proxy, left_to_drain(), drain_proxy{})
      .then([drained](const proxy_drained&) { drained(); }, [drained](const caf::error&) { drained(); });
}

void node_actor::on_members(const configuration_known& message) {
  const auto before = std::exchange(members_, message.members);
  send(keeper_, message);
  const bool first = before.empty();
  watchers_.on_members(members_, message.index);
  if (members_.is_member(setup_.id)) {
    // A new role announces its log's configuration again, which may be older than the removal.
    if (message.index > removed_at_) {
      removed_at_ = 0;
      send(around_.proxy, removal_known{false});
      tell_service_state();
      send(around_.formation, set_wants_to_join{false});
    }
  } else if (first && !members_.empty()) {
    // This node was removed before it was started, or is not admitted yet.
    send(around_.formation, set_wants_to_join{true});
  }
  const auto count = members_.members().size();
  const bool member = members_.is_member(setup_.id);
  if (count > 0 && (first || member != before.is_member(setup_.id)))
    troupe::log().info("node {} ({}) is {}a member of cluster {} of {} nodes", to_string(setup_.id), setup_.address,
                       member ? "" : "not ", to_string(membership_.cluster), count);
  if (count > 0 && setup_.expected_members > count && !std::exchange(told_of_missing_, true))
    troupe::log().warn("{} nodes are listed or expected, but the cluster has {}: to add the others, start them with 0 "
                       "expected nodes, or add them through a member",
                       setup_.expected_members, count);
  if (!members_.empty()) send(around_.formation, formed_now{membership_.cluster});
  send(around_.links, members_changed{members_.members()});
  send(around_.proxy, members_changed{members_.members()});
}

void node_actor::on_removed(const removed_from_cluster& message) {
  const bool again = removed_at_ > 0;
  // An operator who starts a removed node wants it back. The removal is known to be older than the start if a member
  // has known of it for longer than this process runs. Otherwise it counts as the removal of a running node. A restart
  // of the replica is not a start in this sense.
  const bool dismissed = message.dismissed && message.left_before >= started_;
  const bool known = again && dismissed_ == dismissed;
  removed_at_ = message.index;
  dismissed_ = dismissed;
  send(around_.proxy, removal_known{true});
  tell_service_state();
  if (known) return;
  troupe::log().warn("node {} was removed from the cluster by the configuration at {}: {}", to_string(setup_.id),
                     message.index, dismissed ? "it stays out until it is restarted" : "it asks to join again");
  // A node that was removed because the leader considered it dead was not meant to leave.
  send(around_.formation, set_wants_to_join{!dismissed});
}

void node_actor::tell_service_state() {
  const bool now = has_replica() && leader_ && removed_at_ == 0;
  if (std::exchange(serves_, now) != now) send(around_.links, service_state{now});
}

caf::result<backup_made> node_actor::back_up(const make_backup& question) {
  if (phase_ != phase::running) return not_running();
  return delegate(
      spawn<backup_job>(backup_setup{membership_.cluster, around_.proxy, parts_.dispatcher, parts_.snapshots}),
      question);
}

template <class Result, class Render>
caf::result<Result> node_actor::ask_cluster(const cluster_change& what, std::chrono::milliseconds timeout,
                                            Render render) {
  auto promise = make_response_promise<Result>();
  ask_leader(
      what, timeout, [promise, render](const proxy_answer& answer) mutable { promise.deliver(render(answer)); },
      [promise](const caf::error& why) mutable { promise.deliver(why); });
  return promise;
}

caf::result<backup_staged> node_actor::stage(stage_backup& chunk) {
  if (phase_ != phase::running) return not_running();
  if (unanswered_chunks_ >= max_unanswered_chunks)
    return make_error({errc::overloaded, "too many chunks of backups wait for the disk", {}, {}});
  ++unanswered_chunks_;
  auto promise = make_response_promise<backup_staged>();
  request(parts_.staging, caf::infinite,
          stage_chunk{membership_.cluster, chunk.backup, chunk.offset, raft::bytes{std::move(chunk.data)}})
      .then(
          [this, promise](const chunk_staged& answer) mutable {
            --unanswered_chunks_;
            if (answer.code == errc::none)
              promise.deliver(backup_staged{answer.next});
            else
              promise.deliver(make_error({answer.code, answer.problem, {}, {}}));
          },
          [this, promise](const caf::error& why) mutable {
            --unanswered_chunks_;
            promise.deliver(why);
          });
  return promise;
}

caf::result<restore_made> node_actor::restore(const make_restore& question) {
  if (phase_ != phase::running) return not_running();
  return delegate(
      spawn<restore_job>(restore_setup{setup_.id, membership_.cluster, role_reporter_handle{this}, around_.proxy,
                                       around_.links, parts_.staging, setup_.raft.snapshot_bytes_per_second}),
      question);
}

void node_actor::finish(const caf::error& why) {
  if (why) troupe::log().critical("node {} stops: {}", to_string(setup_.id), to_text(system(), why));
  quit(why);
}

void node_actor::on_end() {
  reading_.request_stop();
  for (const auto& [address, part] : replica_) anon_send_exit(part, caf::exit_reason::user_shutdown);
  anon_send_exit(around_.links, caf::exit_reason::user_shutdown);
  anon_send_exit(around_.endpoint, caf::exit_reason::user_shutdown);
  anon_send_exit(around_.formation, caf::exit_reason::user_shutdown);
  anon_send_exit(around_.proxy, caf::exit_reason::user_shutdown);
  anon_send_exit(around_.health, caf::exit_reason::user_shutdown);
  anon_send_exit(keeper_, caf::exit_reason::user_shutdown);
  keeper_ = nullptr;
  fronts_.clear();
  watchers_.clear();
  around_ = {};
  replica_.clear();
  role_ = {};
  parts_ = {};
  setup_.open_log = nullptr; // it keeps the data directory locked
}

} // namespace troupe
