// The parameters of one run, all drawn from its seed.
#pragma once

#include "raft/base/random.hpp"
#include "raft/base/types.hpp"
#include "raft/options.hpp"

#include <cstdint>

namespace troupe::sim {

using namespace std::chrono_literals;
using raft::duration;

/// The deliberate bugs. They measure the simulation: it must detect each of them.
enum class mutant : std::uint8_t {
  none,
  /// The leader counts its own copy before its disk has it.
  count_unsynced_copy,
  /// A vote is sent before it is on disk.
  vote_before_persist,
  /// A leader serves reads without confirming that it still leads.
  read_without_round,
  /// The log is compacted when a snapshot is started, before it is on disk.
  compact_before_snapshot,
  /// A snapshot is considered complete after its first chunk.
  install_first_chunk,
  /// A log that conflicts with a snapshot is kept. Implemented in the core's sources (CMakeLists.txt), not here.
  keep_conflicting_log,
  /// A node whose snapshot is damaged continues as if it had it.
  trust_damaged_snapshot,
  /// A snapshot becomes visible before the log on the same disk reaches it.
  snapshot_before_log,
  /// A node without the backup that is restored continues as if it had it.
  restore_without_backup,
  /// A membership rule is broken. Implemented in the core's sources, too.
  members_rule,
  /// The same for a rule that a check of each leader detects at once, long before the bug has consequences.
  leaders_rule,
};

/// The relative frequencies of the fault driver's actions.
struct fault_weights {
  unsigned split = 3;
  unsigned one_way = 2;
  unsigned isolate_leader = 3;
  unsigned crash_any = 3;
  unsigned crash_leader = 3;
  unsigned crash_all = 1;
  unsigned slow_disk = 2;
  unsigned lossy = 2;
  unsigned full_disk = 2;
  /// A node loses power, and its newest snapshot is damaged.
  unsigned damage = 1;
  /// A backup is restored that some nodes of a minority lack.
  unsigned restore = 1;
  unsigned heal = 5;
  /// An operator asks the leader for a membership change or a leadership transfer.
  unsigned members = 0;
  unsigned transfer = 0;
  /// A disk accepts requests but responds no more, for long or until it is repaired.
  unsigned stop_disk = 2;
};

/// Further requirements for a majority, apart from making progress without a minority: see availability.hpp.
struct demands {
  /// It soon has another leader if the leader's disk stops.
  bool leaders_with_stopped_disk = true;
  /// A voter that has its log but no state counts towards it.
  bool voters_without_state = true;
  /// A voter that needs a snapshot gets one while writes go on.
  bool late_voters = true;
};

struct scenario {
  std::uint64_t seed = 0;
  /// Initial members, and further nodes with an empty disk.
  std::size_t nodes = 3;
  std::size_t spares = 0;
  raft::options opts;
  /// The network: `loss_permille` of a thousand messages are lost; delays are drawn from [delay_min, delay_max].
  unsigned loss_permille = 10;
  unsigned duplicate_permille = 20;
  /// The number per thousand messages that are very late, and so overtaken by many others.
  unsigned late_permille = 20;
  duration delay_min = 100us;
  duration delay_max = 5ms;
  duration sync_min = 100us;
  duration sync_max = 10ms;
  bool skewed_clocks = true;
  fault_weights faults;
  /// The maximum of nodes that a membership change adds or removes, and how many per thousand added nodes stay
  /// learners.
  unsigned changes_at_once = 4;
  unsigned learners_permille = 200;
  /// This number of the initial members, the last ones, are never removed.
  std::size_t always_voters = 0;
  /// After this number per thousand membership changes, the node that was asked crashes.
  unsigned fall_after_change_permille = 0;
  /// This number per thousand new leaders are asked for a membership change in their first 50 ms, and then cut off
  /// together with the nodes that join.
  unsigned hurried_change_permille = 0;
  duration fault_pause_min = 100ms;
  duration fault_pause_max = 3s;
  duration down_min = 50ms;
  duration down_max = 4s;
  duration stopped_min = 100ms;
  duration stopped_max = 20s;
  /// After the faults, a minority of the voters fails this many times in succession: availability.hpp.
  unsigned outages = 3;
  struct demands demands;
  std::size_t clients = 5;
  duration think_max = 400ms;
  duration client_timeout = 3s;
  /// The safety phase lasts this long, and until this many operations were carried out or may have been.
  duration safety_phase = 60s;
  std::size_t min_operations = 500;
  /// The number of entries that a node applies between two snapshots; 0 if it takes none.
  raft::index_t snapshot_every = 0;
  duration snapshot_takes_max = 200ms;
  duration store_takes_max = 20ms;
  unsigned store_fails_permille = 10;
  mutant broken = mutant::none;
  /// Checks only what clients and the whole cluster see, not single disks and messages. For mutants: a missing sync is
  /// easy to detect, but its consequences prove more.
  bool outcome_only = false;
};

/// The scenario of a seed in the normal test run.
scenario draw_scenario(std::uint64_t seed);

} // namespace troupe::sim
