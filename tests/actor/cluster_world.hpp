// Three nodes of real actors in one thread and in virtual time. The test simulates the network, the disks and
// formation, and chooses the order in which actors run. All choices come from one seed, so that a seed reproduces a
// trace.
#pragma once

#include "runtime/node_actor.hpp"
#include "runtime/storage/memory_file_system.hpp"
#include "tests/actor/cluster_wire.hpp"
#include "tests/actor/virtual_system.hpp"

#include <caf/actor_registry.hpp>
#include <deque>
#include <filesystem>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <troupe/service_actor.hpp>
#include <troupe/services/map.hpp>
#include <vector>

namespace troupe::test {

using namespace std::chrono_literals;

struct disk;

/// How many messages an actor may handle in a millisecond.
inline constexpr std::size_t any_pace = std::numeric_limits<std::size_t>::max();

/// A client's request and its answer.
struct client_call {
  bool is_put = false;
  node_id at;
  std::string key;
  raft::time_point began;
  raft::time_point deadline;
  struct answer {
    raft::time_point when;
    errc code = errc::none;
    /// Revision of the key; 0 if the key is absent.
    index_t revision = 0;
  };
  std::optional<answer> answered;

  bool ok() const { return answered && answered->code == errc::none; }
  outcome what() const { return outcome_of(answered->code); }
};

/// An error, or the log index of the result.
struct late_answer {
  error_info error;
  index_t index = 0;
};

/// How much of a backup is staged, or why it is not.
struct staged_or_not {
  std::uint64_t next = 0;
  errc code = errc::none;
  std::string problem;
};

/// A role actor, as announced by role_changed.
struct role_seen {
  std::uint64_t incarnation = 0;
  epoch_t epoch = 0;
  raft::role_kind kind = raft::role_kind::follower;
  term_t term = 0;
  bool alive = true;
  /// Writes to the disk were outstanding when the role took over.
  bool write_in_flight = false;
};

class cluster_world : private virtual_system {
 public:
  using virtual_system::now;

  explicit cluster_world(std::uint64_t seed, weather how = {});
  ~cluster_world();
  cluster_world(const cluster_world&) = delete;
  cluster_world& operator=(const cluster_world&) = delete;

  static std::vector<node_id> ids() { return {node_id{1}, node_id{2}, node_id{3}}; }
  std::uint64_t pick(std::uint64_t below) { return random_.next() % below; }
  wire& net() { return wire_; }

  void start(node_id id);
  /// Kills a process. At most `keep` of its unsynced writes are then on disk.
  void kill(node_id id, std::size_t keep = 0);
  bool up(node_id id) const { return members_.at(id).up; }
  /// Why the node's process ended by itself.
  const std::optional<std::string>& end_of(node_id id) const { return members_.at(id).ended; }
  /// Ends everything. Returns the number of actors that did not end.
  std::size_t close();

  void run(std::chrono::milliseconds time);
  /// Runs up to `jobs` messages; no time passes.
  void run_some(std::size_t jobs) { work(jobs); }
  template <class Predicate> bool run_until(Predicate reached, std::chrono::milliseconds patience = 10s) {
    for (; !reached() && patience.count() > 0; --patience) run(1ms);
    return reached();
  }

  /// Slows down or stops (0) a node's disk, its role, or the delivery of role changes to its endpoint.
  void pace_disk(node_id id, std::size_t per_ms);
  void pace_role(node_id id, std::size_t per_ms);
  void pace_news(node_id id, std::size_t per_ms);
  /// The same for the node's service, which is known once it has applied a command.
  void pace_service(node_id id, std::size_t per_ms);
  /// Makes the next sync of the node's disk fail.
  void break_disk(node_id id);
  void fill_disk(node_id id, bool full);
  /// Makes the next sync, and every attempt to open, fail for lack of space, until `fill_disk(id, false)`.
  void exhaust_disk(node_id id);
  /// The node's snapshot files, in which tests inject errors and damage.
  std::shared_ptr<memory_file_system> snapshot_files_of(node_id id) const;
  /// The newest snapshot on the node's disk; empty if there is none.
  std::filesystem::path newest_snapshot(node_id id) const;
  /// Whether processes of the node that are started from now on run the service.
  void run_services(node_id id, bool yes) { members_.at(id).has_services = yes; }
  /// How many entries before their snapshots nodes keep in the log; applies to processes started from now on.
  void set_log_tail(index_t entries) { log_tail_ = entries; }
  /// Makes the node take a snapshot; empty if it does not.
  std::optional<raft::snapshot_id> snapshot(node_id id);
  // Backups (cluster_backups.cpp).
  /// The bytes of a snapshot on the node's disk.
  std::string bytes_of(node_id id, const raft::snapshot_id& snapshot);
  /// Sends a backup to the node in chunks, from the offset that the node asks for. Returns its last answer.
  staged_or_not stage(node_id at, const raft::snapshot_id& backup, std::string_view bytes);
  bool has_staged(node_id id, const raft::snapshot_id& backup) const;
  /// Removes a backup from the node's disk or, with `altered`, flips one of its bytes.
  void spoil_staged(node_id id, const raft::snapshot_id& backup, bool altered);
  /// Starts a restore. The result is set once the outcome is known.
  std::shared_ptr<std::optional<late_answer>> restore(node_id at, const raft::snapshot_id& backup,
                                                      std::chrono::milliseconds timeout = 20s);
  // Members (cluster_members.cpp).
  /// Sends the node a change of members. The result is set once the outcome is known.
  std::shared_ptr<std::optional<late_answer>> change(node_id at, raft::change_members what);
  void transfer(node_id from, node_id to);
  void stop(node_id id, bool leave);
  /// Whether the node asks to join its cluster again.
  bool wants_to_join(node_id id) const { return members_.at(id).wants_to_join; }
  /// Collects the node's events from now on. The watcher registers twice, and must get each event once.
  std::shared_ptr<std::vector<cluster_event>> watch(node_id id);
  /// Makes the node's service throw at the next command, once.
  void arm_service(node_id id) { members_.at(id).service_throws = true; }

  /// Returns the call's number. A key is put at most once; its value is the key.
  std::size_t put(node_id at, std::string key, std::chrono::milliseconds timeout = 5s);
  std::size_t get(node_id at, std::string key, std::chrono::milliseconds timeout = 5s, bool stale = false);
  const std::deque<client_call>& calls() const { return calls_; }
  const client_call& call(std::size_t number) const { return calls_[number]; }

  /// The leader of the newest term among the nodes that are up.
  std::optional<node_id> leader() const;
  /// The node's status; empty if it does not answer at once.
  std::optional<node_status> status(node_id id);
  const std::deque<role_seen>& roles(node_id id) const { return members_.at(id).roles; }
  bool all_equal();
  std::size_t running() { return system.registry().running(); }
  /// Number of commands that the node's service applied since the last start of the replica.
  std::size_t applied(node_id id) const { return members_.at(id).applied; }
  std::size_t services_started(node_id id) const { return members_.at(id).services; }

  /// The violations seen so far. `judge` also compares every answer with the log of node 1, which must be complete by
  /// then.
  const std::vector<std::string>& problems() const { return problems_; }
  void judge();

  std::uint64_t trace_hash() const { return trace_hash_; }
  /// The newest lines of the trace.
  std::string trace() const;

 private:
  struct member {
    std::shared_ptr<disk> storage;
    std::uint64_t incarnation = 0;
    bool up = false;
    std::optional<std::string> ended;
    node_actor_handle node;
    node_actors around;
    endpoint_handle endpoint;
    service_actor<map_service> front;
    caf::actor_id news = 0;
    caf::actor_id role = 0;
    caf::actor_id service = 0;
    std::deque<role_seen> roles;
    bool wants_to_join = false;
    bool service_throws = false;
    bool has_services = true;
    std::size_t services = 0;
    std::size_t applied = 0;
  };
  friend class agreed_formation;
  friend class news_tap;
  friend class opened_disk;
  friend class recording_machine;

  opened_log open(const std::shared_ptr<disk>& on, const std::vector<machine_factory>& services);
  test_scheduler& jobs();
  void work(std::size_t budget);
  bool may_run(caf::actor_id id);
  void note(const std::string& line);
  void on_role(node_id id, std::uint64_t incarnation, const role_changed& change);
  void on_apply(node_id id, index_t index, const std::string& what);
  void on_node_end(node_id id, std::uint64_t incarnation, const caf::error& why);
  void on_answer(std::size_t number, const client_call::answer& what);
  template <class Request> std::size_t ask(node_id at, client_call what, Request request);
  template <class Result, class Question>
  std::shared_ptr<std::optional<late_answer>> ask_late(node_id at, const Question& question) {
    auto told = std::make_shared<std::optional<late_answer>>();
    system.spawn<errand>([told, node = members_.at(at).node, question](caf::event_based_actor* self) {
      self->request(node, caf::infinite, question)
          .then(
              [told](const Result& done) {
                *told = {{}, done.index};
              },
              [told](const caf::error& e) {
                *told = {describe(e), 0};
              });
    });
    work(any_pace);
    return told;
  }
  bool on_most_disks(index_t index, const std::string& key);
  void judge_put(const client_call& c, const std::vector<index_t>& in_log);
  void judge_gets(const std::map<std::string, std::vector<index_t>>& in_log);

  raft::prng random_;
  index_t log_tail_ = 10'000;
  wire wire_;
  std::map<node_id, member> members_;
  /// The actor that is running. Below, the remaining budgets of actors with a limited pace.
  caf::actor_id running_ = 0;
  struct pace {
    std::size_t per_ms = any_pace;
    std::size_t left = any_pace;
  };
  std::map<node_id, pace> disk_paces_;
  std::map<node_id, pace> role_paces_;
  std::map<node_id, pace> news_paces_;
  std::map<node_id, pace> service_paces_;
  std::deque<client_call> calls_;
  /// By log index: the command and its reply, which must be the same on every node.
  std::map<index_t, std::string> applied_;
  std::vector<std::string> problems_;
  std::uint64_t trace_hash_ = 14695981039346656037u;
  std::deque<std::string> trace_;
};

} // namespace troupe::test
