// One simulated machine: a disk that survives its processes, the pure role, and what the actors do around the role.
#pragma once

#include "raft/role.hpp"
#include "tests/sim/disk.hpp"
#include "tests/sim/linearizability.hpp"
#include "tests/sim/register_machine.hpp"
#include "tests/sim/world.hpp"

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace troupe::sim {

/// The outcome of an operation for its client.
enum class outcome : std::uint8_t { done, rejected, unknown };

class node {
 public:
  /// Called once, with the answer if `done`.
  using reply = std::function<void(outcome, answer)>;
  /// Finds another node.
  using directory = std::function<node&(raft::node_id)>;

  node(world& w, raft::node_id id, image formatted, directory find);

  void boot();
  void crash();
  bool up() const noexcept { return role_.has_value(); }
  bool leads() const { return up() && !handing_over_ && std::holds_alternative<raft::leader>(*role_); }
  raft::node_id id() const noexcept { return id_; }
  const disk& storage() const noexcept { return disk_; }
  /// Makes the newest snapshot, if any, unreadable at the next start.
  void damage_snapshot();
  /// Makes all its snapshots unreadable.
  void damage_snapshots() { disk_.damage_all(); }
  /// Whether storing received snapshots fails from now on.
  void set_store_broken(bool broken) { store_broken_ = broken; }
  raft::index_t applied() const noexcept { return applied_; }
  const register_machine& service() const noexcept { return service_; }
  raft::term_t term() const { return state_of(*role_).term(); }
  /// Whether its disk has room.
  void set_room(bool enough);
  /// Asks this node's role for a membership change or a leadership transfer.
  void administer(raft::change_members what);
  void administer(raft::transfer_leadership what);
  const raft::node_state& state() const { return state_of(*role_); }
  /// From now on, syncs take `factor` times as long.
  void set_disk_slowness(int factor) { slowness_ = factor; }

  /// Stops the disk: it responds no more. Or lets it continue: it then responds to everything that was requested
  /// meanwhile.
  void set_disk_stopped(bool stopped);
  bool disk_stopped() const noexcept { return disk_stopped_; }
  bool has_room() const noexcept { return has_room_; }

  /// The endpoint: a message from another node arrives.
  void receive(const raft::rpc& message);
  /// The proxy: a client of this node sends an operation.
  void submit(const command& what, reply done);

 private:
  /// A replicator of this leader, and the two mailboxes between them.
  struct peer {
    raft::replicator machine;
    /// Distinguishes it from an earlier one of the same peer.
    std::uint64_t life = 0;
    duration to_machine{0};
    duration to_leader{0};
    bool tick_set = false;
    duration tick_at{0};
    /// The snapshot that is being sent.
    std::optional<stored_snapshot> sent = {};
  };
  /// A client's operation that waits at this node.
  struct waiting {
    command what;
    reply done;
    raft::index_t index = 0; ///< of the entry, or for a read the index to wait for; 0 if not known yet
    raft::term_t term = 0;
  };

  time_point clock() const { return clock_.show(world_.time.now()); }
  /// Runs `what` later unless by then this process or, with `this_epoch`, this role has ended.
  void later(duration delay, bool this_epoch, std::function<void()> what);

  // The role's shell (node.cpp).
  void post(raft::event what);
  void step(const raft::event& what);
  void carry_out(raft::output out);
  void hand_over(raft::transition next);
  void take_over(std::optional<raft::rpc> carry);
  void arm();
  void note(const std::string& what);
  void send(const raft::rpc& message);
  std::optional<raft::read_ready> serve_unasked(const raft::event& what) const;

  // The disk's shell.
  /// Runs `what` after `delay`, or once a stopped disk continues, unless this process has ended by then.
  void when_on_disk(duration delay, std::function<void()> what);
  void hand_to_disk(const raft::write& change);
  void sync();
  void synced();

  // The replicators' shells (node_replicators.cpp).
  void start_and_stop_replicators(const raft::membership_change& change);
  /// Runs `what` later unless this replicator has ended by then.
  void later_at(raft::node_id to, duration delay, std::function<void(peer&)> what);
  void tell_replicator(raft::node_id to, raft::replicator_event what);
  void step_replicator(raft::node_id to, const raft::replicator_event& what);
  void carry_out(raft::node_id to, raft::replicator_output out);
  void answer_fetch(raft::node_id to, const raft::fetch_request& question);
  void arm_replicator(raft::node_id to);

  // The snapshot store (node_snapshots.cpp).
  void maybe_take_snapshot();
  void take_snapshot();
  void keep_snapshot_if_durable();
  void store(const raft::snapshot_request& chunk);
  raft::snapshot_stored take_in(const raft::snapshot_request& chunk);
  void load(const raft::snapshot_point& at);
  void read_chunk(raft::node_id to, const raft::chunk_request& question);
  const stored_snapshot* open_snapshot(peer& p, const raft::chunk_request& question);

  // Proxy and dispatcher (node_service.cpp).
  void ask_role(raft::node_id origin, raft::tag_t tag, const command& what);
  void on_accepted(const raft::accepted& a);
  void on_read_ready(const raft::read_ready& r);
  void on_failed(const raft::failed& f);
  void settle_replies(const raft::output& out);
  void apply_to(raft::index_t index);
  std::optional<answer> execute(const command& c);
  void stop_before(raft::index_t index);
  void settle_applied();
  void finish(raft::tag_t tag, outcome how, answer with);

  world& world_;
  raft::node_id id_;
  directory find_;
  local_clock clock_;
  disk disk_;
  int slowness_ = 1;
  bool disk_stopped_ = false;
  /// A process was started but cannot read its stopped disk yet.
  bool boot_waits_ = false;
  bool store_broken_ = false;
  bool has_room_ = true;

  /// `incarnation_` rises with every start of a process, `epoch_` with every role of it.
  std::uint64_t incarnation_ = 0;
  std::uint64_t epoch_ = 0;

  // The process: all of the following is lost in a crash.
  std::optional<raft::role> role_;
  bool handing_over_ = false;
  std::deque<raft::event> inbox_;
  std::optional<duration> tick_at_;
  std::deque<std::pair<std::uint64_t, std::vector<raft::rpc>>> held_;
  duration marks_at_{0};
  /// Requests that the stopped disk has not answered, in order.
  std::vector<std::function<void()>> wait_for_disk_;
  std::map<raft::node_id, peer> peers_;
  std::uint64_t lives_ = 0;
  raft::index_t applied_ = 0;
  /// The index of the entry that restores a backup which this node lacks; 0 if none.
  raft::index_t missing_at_ = 0;
  register_machine service_;
  struct applied_entry {
    raft::term_t term = 0;
    answer with;
  };
  /// The entries that this process has applied.
  std::map<raft::index_t, applied_entry> answers_;
  /// The newest applied configuration.
  raft::index_t members_at_ = 0;
  raft::configuration members_;
  raft::index_t snapshot_at_ = 0;
  bool taking_snapshot_ = false;
  /// The snapshot that is being taken.
  std::optional<stored_snapshot> written_snapshot_;
  bool snapshot_is_written_ = false;
  /// The part of another node's snapshot that has arrived, and when the store finishes what it was given.
  raft::snapshot_id incoming_;
  std::string incoming_bytes_;
  /// Snapshots that the store has reported as complete: read, and waiting to be loaded. Their files may be gone by
  /// then.
  std::map<raft::index_t, stored_snapshot> ready_;
  duration stored_at_{0};
  std::map<raft::tag_t, waiting> waiting_;
  /// The nodes from which requests to this node's role came.
  std::map<raft::tag_t, raft::node_id> origins_;
};

/// The initial members of a cluster of `nodes`.
raft::configuration formatted_members(std::size_t nodes);
/// The log with which every member is formatted: one configuration entry.
image formatted_image(std::size_t nodes);

constexpr raft::cluster_id simulated_cluster{77};

} // namespace troupe::sim
