// What one run looks like: everything is drawn from its seed.
#pragma once

#include "raft/base/random.hpp"
#include "raft/base/types.hpp"
#include "raft/options.hpp"

#include <cstdint>

namespace troupe::sim {

using namespace std::chrono_literals;
using raft::duration;

/// What is deliberately wrong. The simulation is worth what it catches of these.
enum class mutant : std::uint8_t {
  none,
  /// The leader counts its own copy before its disk has it.
  count_unsynced_copy,
  /// A vote leaves before it is on disk.
  vote_before_persist,
  /// A leader serves reads without asking whether it still leads.
  read_without_round,
  /// The log is dropped when a snapshot is begun, before it is on disk.
  compact_before_snapshot,
  /// A snapshot is taken for complete with its first piece.
  install_first_piece,
  /// A log that differs from a snapshot is kept. In the core's sources (CMakeLists.txt), not here.
  keep_conflicting_log,
  /// A node whose snapshot is damaged goes on as if it had it.
  trust_damaged_snapshot,
  /// A snapshot gets its name before the log on the same disk leads to it.
  snapshot_before_log,
  /// A node without the backup that is restored goes on as if it had it.
  restore_without_backup,
  /// A rule of membership is broken. In the core's sources, too.
  members_rule,
  /// The same of a rule that a look at each leader finds broken at once, long before it leads to anything.
  leaders_rule,
};

/// How often the fault driver does what; weights against each other.
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
  /// A backup is restored that some of a minority do not have.
  unsigned restore = 1;
  unsigned heal = 5;
  /// Somebody asks the leader for other members, or to hand its leadership over.
  unsigned members = 0;
  unsigned transfer = 0;
  /// A disk takes what it is given, and answers no more for long or until it is mended.
  unsigned stop_disk = 2;
};

/// What is asked of a majority beside that it goes on without a minority: see availability.hpp.
struct demands {
  /// It has another leader soon when the disk of its leader stops.
  bool leaders_with_stopped_disk = true;
  /// It counts a voter that has its log and no state.
  bool voters_without_state = true;
  /// A voter that needs a snapshot gets one while writes go on.
  bool late_voters = true;
};

struct scenario {
  std::uint64_t seed = 0;
  /// Members from the beginning, and nodes that are there with an empty disk.
  std::size_t nodes = 3;
  std::size_t spares = 0;
  raft::options opts;
  /// The network: one message in `loss_permille` of a thousand is lost, delays are drawn from [delay_min, delay_max].
  unsigned loss_permille = 10;
  unsigned duplicate_permille = 20;
  /// So many of a thousand messages are late by far, and so overtaken by many.
  unsigned late_permille = 20;
  duration delay_min = 100us;
  duration delay_max = 5ms;
  duration sync_min = 100us;
  duration sync_max = 10ms;
  bool skewed_clocks = true;
  fault_weights faults;
  /// How many nodes a change of members takes in or out at most, and how many of a thousand of those only learn.
  unsigned changes_at_once = 4;
  unsigned learners_permille = 200;
  /// So many of the first members, the last ones, are never taken out.
  std::size_t always_voters = 0;
  /// So many of a thousand changes of members are followed by a fall of whom they were asked of.
  unsigned fall_after_change_permille = 0;
  /// So many of a thousand new leaders are asked for other members in their first 50 ms, and cut off then together with
  /// those that join.
  unsigned hurried_change_permille = 0;
  duration fault_pause_min = 100ms;
  duration fault_pause_max = 3s;
  duration down_min = 50ms;
  duration down_max = 4s;
  duration stopped_min = 100ms;
  duration stopped_max = 20s;
  /// After the faults, a minority of the voters fails so many times, one time after the other: availability.hpp.
  unsigned outages = 3;
  struct demands demands;
  std::size_t clients = 5;
  duration think_max = 400ms;
  duration client_timeout = 3s;
  /// The safety phase lasts this long and until so many operations were carried out or may have been.
  duration safety_phase = 60s;
  std::size_t min_operations = 500;
  /// Entries applied between two snapshots of a node; 0: none are taken.
  raft::index_t snapshot_every = 0;
  duration snapshot_takes_max = 200ms;
  duration store_takes_max = 20ms;
  unsigned store_fails_permille = 10;
  mutant broken = mutant::none;
  /// Judges by what clients and the whole cluster see alone: no look at single disks and messages. For mutants: it is
  /// easy to see a missing sync, and says more to see what it leads to.
  bool outcome_only = false;
};

/// The scenario of a seed in the normal test run.
scenario draw_scenario(std::uint64_t seed);

} // namespace troupe::sim
