// What a majority owes: while it is connected, with disks that work and whole logs, a write succeeds soon, whatever is
// wrong with the others.
#pragma once

#include "tests/sim/clients.hpp"
#include "tests/sim/fault_driver.hpp"
#include "tests/sim/node.hpp"
#include "tests/sim/world.hpp"

#include <memory>
#include <string>
#include <vector>

namespace troupe::sim {

/// Breaks a minority of the voters, again and again, and writes through the others. Everything else works, but messages
/// are lost and late as the scenario says.
class availability {
 public:
  availability(world& w, std::vector<std::unique_ptr<node>>& nodes, clients& c, fault_driver& f)
      : world_(w), nodes_(nodes), clients_(c), faults_(f) {}

  /// Throws `violation` when a write does not succeed in time.
  void run();

 private:
  void outage();
  /// A voter that needs a snapshot gets one while writes go on.
  void late_voter();

  void begin();
  node* leader() const;
  bool is_at_rest() const;
  /// It has all that is committed, state included.
  bool has_whole_log(const node& n) const;
  std::vector<node*> choose_victims();
  node* choose_late() const;
  /// All of the majority have all that is committed, and nothing beyond that others of them lack.
  void wait_for_equal_logs();
  /// These say what they did.
  std::string break_down(node& victim);
  std::string lose_a_state(const std::vector<node*>& victims);
  void write(const std::string& while_what);
  template <class Condition> bool wait_for(duration limit, Condition holds);

  world& world_;
  std::vector<std::unique_ptr<node>>& nodes_;
  clients& clients_;
  fault_driver& faults_;
  /// The majority.
  std::vector<node*> healthy_;
  std::uint64_t writes_ = 0;
};

} // namespace troupe::sim
