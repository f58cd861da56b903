#include "runtime/restore_job.hpp"

#include "raft/quorum.hpp"
#include "services/restore_command.hpp"

#include <algorithm>
#include <cstdint>
#include <troupe/log.hpp>
#include <utility>

namespace troupe {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t chunk_bytes = 256 << 10;
/// A node that does not answer for this long may have lost the request, or may be reading the whole backup.
constexpr auto answer_patience = 5s;
constexpr auto look_again_after = 1s;
/// Holders drop a backup that no restore asks for, so they are asked again while the backup is still sent to others.
constexpr auto ask_holders_after = 60s;
constexpr auto status_patience = 5s;
/// Covers the command, and the time that the leader's services need to load the backup.
constexpr auto command_timeout = 300s;

} // namespace

restore_job::restore_job(caf::actor_config& config, restore_setup setup)
    : compat::typed_base<restore_handle>(config), setup_(std::move(setup)) {
  // The staging store ends with the replica. If the command was sent, the proxy still reports its outcome.
  set_down_handler([this](const caf::down_msg&) {
    if (!proposed_) fail(cut_short());
  });
}

restore_handle::behavior_type restore_job::make_behavior() {
  compat::end_on_exceptions(this);
  monitor(setup_.staging);
  return {
      [this](const make_restore& m) { return begin(m); },
      [this](const link_up& m) {
        linked_[m.peer.node] = m.endpoint;
        if (const auto found = holders_.find(m.peer.node); found != holders_.end()) {
          // The node may be a new process, which must be asked again.
          found->second.again = {};
          found->second.held.reset();
          found->second.refused = false;
          look_after(found->first, found->second);
        }
      },
      [this](const link_down& m) { linked_.erase(m.peer); },
      [this](const timer& m) { on_timer(m); },
  };
}

error_info restore_job::cut_short() const {
  return {proposed_ ? errc::outcome_unknown : errc::stopping, "the node stopped before the answer", {}, {}};
}

void restore_job::on_end() {
  if (promise_.pending()) promise_.deliver(make_error(cut_short()));
  promise_ = {};
  setup_ = {};
  linked_.clear();
}

caf::result<restore_made> restore_job::begin(const make_restore& question) {
  promise_ = make_response_promise<restore_made>();
  backup_ = question.backup;
  deadline_ = clock().now() + question.timeout;
  // Once the read is served, this node's log contains everything acknowledged so far, so its last index can be compared
  // with the backup's.
  ask_cluster({access::linearizable_read, {}, question.timeout}, [this](const proxy_answer&) { begin_staging(); });
  return promise_;
}

/// `use` gets the answer; an error ends the job.
template <class Use> void restore_job::ask_cluster(const ask_proxy& what, Use use) {
  request(spawn<proxy_question>(setup_.proxy), caf::infinite, what).then(use, [this](const caf::error& why) {
    fail(describe(why));
  });
}

void restore_job::begin_staging() {
  ask_role([this](const role_report& now) {
    // The same rule is applied to the entry at its final index, but checking now avoids useless transfers.
    if (backup_.last.index > now.role.last_index)
      return fail({errc::refused, services::why_no_restore(services::encode_restore(backup_)), {}, {}});
    learn_voters(now.members);
    staging_ = true;
    holders_[setup_.self];
    timer_.arm(this, clock().now());
  });
}

template <class Use> void restore_job::ask_role(Use use) {
  request(setup_.node, status_patience, get_role_report{}).then(use, [this](const caf::error& why) {
    // Nothing has been proposed yet, so a role that ended or is late means that nothing was done.
    const bool is_own = compat::error_code(why).has_value();
    fail(is_own ? describe(why) : error_info{errc::not_ready, "this node's replica does not answer", {}, {}});
  });
}

void restore_job::learn_voters(const raft::configuration& members) {
  members_ = members;
  for (const auto& m : members_.members())
    if (members_.is_voter(m.id)) holders_[m.id];
}

void restore_job::on_timer(const timer& message) {
  if (!timer_.fired(message) || !staging_) return;
  const auto now = clock().now();
  const bool quorum = raft::has_quorum(members_, [this](node_id id) { return holds(id); });
  if (now >= deadline_ && !quorum)
    return fail({errc::deadline, "less than a majority of the nodes holds the backup: " + missing(), {}, {}});
  timer_.arm(this, std::min(now + look_again_after, std::max(deadline_, now + 1ms)));
  for (auto& [id, h] : holders_) look_after(id, h);
  consider();
}

void restore_job::look_after(node_id id, holder& h) {
  const auto now = clock().now();
  if (!staging_ || h.busy || h.refused || now < h.again) return;
  if (h.held && now - *h.held < ask_holders_after) return;
  if (id != setup_.self && !linked_.contains(id)) return;
  ask(id, {setup_.cluster, backup_, 0, {}});
}

void restore_job::ask(node_id id, stage_chunk what) {
  auto& h = holders_[id];
  h.busy = true;
  const auto taken = [this, id](const chunk_staged& answer) { answered(id, answer); };
  const auto lost = [this, id](const caf::error&) { failed_at(id, "it does not answer", false); };
  if (id == setup_.self)
    request(setup_.staging, caf::infinite, std::move(what)).then(taken, lost);
  else if (const auto linked = linked_.find(id); linked != linked_.end())
    request(linked->second, answer_patience, std::move(what)).then(taken, lost);
  else
    failed_at(id, "it is not connected", false);
}

void restore_job::answered(node_id id, const chunk_staged& answer) {
  auto& h = holders_[id];
  h.busy = false;
  if (answer.code != errc::none) return failed_at(id, answer.problem, !retryable(answer.code));
  h.problem.clear();
  const auto now = clock().now();
  if (answer.next >= backup_.size) {
    h.held = now;
    // This node has the whole backup, so it can now send it to the others.
    if (id == setup_.self && !std::exchange(watching_, true)) send(setup_.links, watch_links{link_watcher{this}});
    return consider();
  }
  h.held.reset();
  if (id == setup_.self)
    return fail({errc::refused, "this node does not hold the whole backup: send it to this node first", {}, {}});
  if (now < h.again) return timer_.arm(this, h.again);
  send_chunk(id, answer.next);
}

void restore_job::failed_at(node_id id, std::string problem, bool for_good) {
  auto& h = holders_[id];
  h.busy = false;
  h.held.reset();
  h.problem = std::move(problem);
  h.refused = for_good;
  h.again = clock().now() + look_again_after;
  if (id == setup_.self && for_good) return fail({errc::refused, h.problem, {}, {}});
  const bool possible = raft::has_quorum(members_, [this](node_id v) { return !holders_[v].refused; });
  if (!possible) return fail({errc::refused, "too many nodes refuse the backup: " + missing(), {}, {}});
  consider();
}

void restore_job::send_chunk(node_id id, std::uint64_t offset) {
  auto& h = holders_[id];
  h.busy = true;
  request(setup_.staging, caf::infinite, raft::chunk_request{backup_, 0, offset, chunk_bytes})
      .then(
          [this, id](const raft::snapshot_chunk& chunk) {
            if (chunk.data.empty()) return fail({errc::refused, "this node cannot read the backup", {}, {}});
            if (setup_.bytes_per_second > 0)
              holders_[id].again =
                  clock().now() + std::chrono::milliseconds{chunk.data.size() * 1000 / setup_.bytes_per_second};
            ask(id, {setup_.cluster, backup_, chunk.offset, chunk.data});
          },
          [this](const caf::error&) { fail(cut_short()); });
}

/// Proposes the restore once a majority holds the backup and no reachable voter is still being sent it. A majority is
/// enough, but a node that holds the backup before the entry arrives needs no snapshot afterwards.
void restore_job::consider() {
  if (!staging_ || !raft::has_quorum(members_, [this](node_id id) { return holds(id); })) return;
  const bool late = clock().now() >= deadline_;
  for (const auto& [id, h] : holders_)
    if (!late && !holds(id) && h.problem.empty() && (h.busy || linked_.contains(id))) return;
  staging_ = false;
  ask_role([this](const role_report& now) {
    learn_voters(now.members);
    if (raft::has_quorum(members_, [this](node_id id) { return holds(id); })) return propose();
    staging_ = true; // the members have changed in the meantime
    timer_.arm(this, clock().now());
  });
}

void restore_job::propose() {
  log().info("restoring backup {}: {}", to_string(node_id{backup_.checksum}),
             missing().empty() ? "every voter holds it" : "a majority holds it, but " + missing());
  proposed_ = true;
  ask_cluster({access::write, raft::bytes{services::encode_restore(backup_)}, command_timeout},
              [this](const proxy_answer& restored) {
                promise_.deliver(restore_made{restored.index});
                quit();
              });
}

void restore_job::fail(const error_info& why) {
  staging_ = false;
  promise_.deliver(make_error(why));
  quit();
}

bool restore_job::holds(node_id id) const {
  const auto found = holders_.find(id);
  return found != holders_.end() && found->second.held.has_value();
}

/// The voters that do not hold the backup, each with the reason.
std::string restore_job::missing() const {
  std::string text;
  for (const auto& [id, h] : holders_) {
    if (h.held || !members_.is_voter(id)) continue;
    if (!text.empty()) text += "; ";
    text += "node " + to_string(id) + ": ";
    text += !h.problem.empty()                           ? h.problem
            : id != setup_.self && !linked_.contains(id) ? "it is not connected"
                                                         : "it is still receiving the backup";
  }
  return text;
}

} // namespace troupe
