// Breaks connections, disks and machines at random, and repairs them.
#pragma once

#include "tests/sim/node.hpp"
#include "tests/sim/world.hpp"

#include <memory>
#include <vector>

namespace troupe::sim {

class fault_driver {
 public:
  fault_driver(world& w, std::vector<std::unique_ptr<node>>& nodes) : world_(w), nodes_(nodes) {}

  void start();
  /// Ends all faults, repairs everything and starts all machines.
  void freeze();
  /// Repairs everything except message loss, and starts all machines.
  void mend();

 private:
  void plan();
  void strike();
  void split();
  /// Nodes with the same value in `left` can reach each other; the two groups cannot.
  void cut_between(const std::vector<char>& left);
  void stop_disk(node& victim);
  void hurry(node& fresh);
  void one_way();
  void isolate(node& who);
  void crash(node& victim);
  std::size_t victims() const;
  void damage();
  void restore();
  void heal();
  void change_members(node& asked);
  void transfer();
  node& any() { return *nodes_[world_.random.next() % nodes_.size()]; }
  /// Mostly the leader.
  node& leader_or_any();
  /// The leader, or any node if there is none.
  node& leader();

  world& world_;
  std::vector<std::unique_ptr<node>>& nodes_;
  bool frozen_ = false;
};

} // namespace troupe::sim
