// The program in which check.py tests the pretty-printers of tools/gdb/troupe.py.
#include "raft/base/bytes.hpp"
#include "raft/follower.hpp"

#include <string>

using namespace troupe;

namespace {

const void* volatile newest_value = nullptr;

/// check.py stops the program here.
[[gnu::noinline]] void values_are_set(const void* value) { newest_value = value; }

} // namespace

int main() {
  const node_id node{0x7d1f0c2ab394e655};
  const node_id no_node;
  const cluster_id cluster{77};
  const log_position position{5, 3};
  const snapshot_id snapshot{{5, 3}, 1000, 9};
  const raft::bytes data{std::string{"ab\x01"} + std::string(40, 'x')};
  const raft::bytes no_data;
  raft::recovered disk;
  disk.hard = {4, node};
  const raft::follower role{raft::node_state{node, cluster, raft::options{}, 1, disk}};
  for (const void* value :
       {static_cast<const void*>(&node), static_cast<const void*>(&no_node), static_cast<const void*>(&position),
        static_cast<const void*>(&snapshot), static_cast<const void*>(&data), static_cast<const void*>(&no_data),
        static_cast<const void*>(&role)})
    values_are_set(value);
}
