// Breaks wires, disks and machines at random, and mends them again.
#pragma once

#include "tests/sim/node.hpp"
#include "tests/sim/world.hpp"

#include <memory>
#include <vector>

namespace troupe::sim {

class fault_driver {
 public:
  fault_driver(world& w, std::vector<std::unique_ptr<node>>& nodes) : world_(w), nodes_(nodes) {}

  void start() { plan(); }
  /// No more faults; everything is mended, every machine up.
  void freeze();

 private:
  void plan();
  void strike();
  void split();
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
  /// The node that leads, or any.
  node& leader();

  world& world_;
  std::vector<std::unique_ptr<node>>& nodes_;
  bool frozen_ = false;
};

} // namespace troupe::sim
