// Closed-loop clients that record their operations and the outcomes.
#pragma once

#include "tests/sim/node.hpp"
#include "tests/sim/world.hpp"

#include <memory>
#include <vector>

namespace troupe::sim {

class clients {
 public:
  clients(world& w, std::vector<std::unique_ptr<node>>& nodes) : world_(w), nodes_(nodes) {}

  /// Each client sends an operation, waits for the outcome, pauses, and repeats, until `stop`.
  void start();
  void stop() noexcept { stopped_ = true; }

  /// All operations that happened or may have happened.
  std::vector<operation> history() const;
  /// Writes `key` once through `at`, and passes to `done` whether the write succeeded.
  void write_once(node& at, std::uint32_t key, std::function<void(bool)> done);

 private:
  void run(std::size_t client);
  command draw();
  node& any_node() { return *nodes_[world_.random.next() % nodes_.size()]; }
  void submit(node& at, const command& what, node::reply done);

  world& world_;
  std::vector<std::unique_ptr<node>>& nodes_;
  bool stopped_ = false;
  std::uint64_t last_value_ = 0;
  std::vector<operation> history_;
  /// True for operations that surely did not happen.
  std::vector<char> void_;
  /// A recently seen value of each current register: a cas that never matches tests little.
  std::unordered_map<std::uint32_t, std::uint64_t> seen_;
};

} // namespace troupe::sim
