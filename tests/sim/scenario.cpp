#include "tests/sim/scenario.hpp"

namespace troupe::sim {

scenario draw_scenario(std::uint64_t seed) {
  raft::prng random{seed * 0x9e3779b97f4a7c15u + 1};
  const auto one_in = [&](std::uint64_t n) { return random.next() % n == 0; };
  scenario s;
  s.seed = seed;
  s.nodes = one_in(20) ? 1 : one_in(2) ? 3 : 5;
  if (one_in(3)) {
    s.opts.heartbeat = 50ms;
    s.opts.election_min = 200ms;
    s.opts.election_max = 400ms;
  }
  // Caches and windows so small that every path around them is taken.
  if (one_in(3)) s.opts.cache_bytes = 300;
  if (one_in(3)) s.opts.max_append_bytes = 128;
  if (one_in(3)) {
    s.opts.max_inflight_messages = 3;
    s.opts.max_inflight_bytes = 400;
  }
  if (one_in(5)) s.opts.max_uncommitted_bytes = 500;
  s.loss_permille = static_cast<unsigned>(random.next() % 60);
  s.duplicate_permille = static_cast<unsigned>(random.next() % 60);
  s.late_permille = static_cast<unsigned>(random.next() % 100);
  s.delay_max = random.between(1ms, 40ms);
  s.sync_max = random.between(1ms, 50ms);
  s.skewed_clocks = !one_in(4);
  s.fault_pause_max = random.between(300ms, 4s);
  s.think_max = random.between(100ms, 400ms);
  if (one_in(4)) {
    // A bad day: a fault almost every second, most of them on the leader, and responses that arrive after the request
    // timed out.
    s.fault_pause_min = 20ms;
    s.fault_pause_max = 600ms;
    s.faults.isolate_leader = s.faults.crash_leader = 8;
    s.late_permille += 250;
  }
  if (!one_in(4)) {
    s.snapshot_every = 5 + random.next() % 60;
    s.opts.log_tail = random.next() % 40;
    s.opts.snapshot_chunk_bytes = 16 + random.next() % 300;
    if (one_in(4)) s.opts.snapshot_bytes_per_second = 5000 + random.next() % 50000;
    if (one_in(2)) {
      // Followers need snapshots all the time, and snapshots are in transfer while leaders change.
      s.snapshot_every = 2 + random.next() % 6;
      s.opts.log_tail = 0;
      s.opts.snapshot_chunk_bytes = 16;
      s.snapshot_takes_max = 1s;
      if (one_in(2)) s.store_takes_max = 2s, s.opts.snapshot_chunk_bytes = 300;
      s.faults.split = s.faults.isolate_leader = 8;
    }
  }
  if (one_in(2)) {
    s.spares = 1 + random.next() % 3;
    s.faults.members = static_cast<unsigned>(1 + random.next() % 10);
    s.faults.transfer = static_cast<unsigned>(random.next() % 4);
    s.fall_after_change_permille = static_cast<unsigned>(random.next() % 500);
    s.hurried_change_permille = static_cast<unsigned>(random.next() % 300);
    // If all members may be removed, it is unknown beforehand on which nodes a majority comes to depend.
    if (one_in(2))
      s.always_voters = 2;
    else
      s.faults.damage = s.faults.restore = 0;
  }
  return s;
}

} // namespace troupe::sim
