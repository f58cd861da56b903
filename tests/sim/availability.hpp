// Checks availability: a connected majority with working disks and whole logs must complete a write soon, whatever
// fails on the other nodes.
#pragma once

#include "tests/sim/clients.hpp"
#include "tests/sim/fault_driver.hpp"
#include "tests/sim/node.hpp"
#include "tests/sim/world.hpp"

#include <memory>
#include <string>
#include <vector>

namespace troupe::sim {

/// Repeatedly breaks a minority of the voters and writes through the others. Otherwise everything works, but messages
/// are lost and delayed as the scenario says.
class availability {
 public:
  availability(world& w, std::vector<std::unique_ptr<node>>& nodes, clients& c, fault_driver& f)
      : world_(w), nodes_(nodes), clients_(c), faults_(f) {}

  /// Throws `violation` if a write does not succeed in time.
  void run();

 private:
  void outage();
  /// A voter that needs a snapshot must get one while writes go on.
  void late_voter();

  void begin();
  node* leader() const;
  bool is_at_rest() const;
  /// True if the node has everything that is committed, including the state.
  bool has_whole_log(const node& n) const;
  std::vector<node*> choose_victims();
  node* choose_late() const;
  /// Waits until all nodes of the majority have everything that is committed, and their logs end at the same index.
  void wait_for_equal_logs();
  /// The next two functions return a description of what they did.
  std::string break_down(node& victim);
  std::string lose_a_state(const std::vector<node*>& victims);
  void write(const std::string& while_what);
  template <class Condition> bool wait_for(duration limit, Condition holds);

  world& world_;
  std::vector<std::unique_ptr<node>>& nodes_;
  clients& clients_;
  fault_driver& faults_;
  /// The nodes of the majority.
  std::vector<node*> healthy_;
  std::uint64_t writes_ = 0;
};

} // namespace troupe::sim
