// A cluster of pure cores that does nothing by itself: every delivery, sync and tick is a command in a script.
#pragma once

#include "raft/role.hpp"
#include "tests/sim/disk.hpp"

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace troupe::interaction {

using link = std::pair<raft::node_id, raft::node_id>;

class cluster {
 public:
  /// Executes one command (see README.md in this folder) and returns its trace, one line per event. Throws
  /// std::invalid_argument for an unknown command.
  std::string run(const std::string& command);

 private:
  struct node {
    sim::disk disk;
    std::optional<raft::role> role;
    std::map<raft::node_id, raft::replicator> replicators;
    /// Messages that wait for a write to be on disk.
    std::deque<std::pair<std::uint64_t, raft::rpc>> held;
    int starts = 0;
    raft::index_t applied = 0;
    /// Another node's snapshot, and the part of it that has arrived.
    raft::snapshot_id incoming_id;
    std::string incoming;
    /// Snapshots that were sent: an open file survives the removal of its name.
    std::vector<sim::stored_snapshot> open = {};
  };

  void add_nodes(std::istream& words);
  void join(raft::node_id id);
  void change(raft::node_id id, std::istream& words);
  void transfer(raft::node_id id, std::istream& words);
  void start(raft::node_id id);
  void crash(raft::node_id id);
  void tick(raft::node_id id);
  void campaign(raft::node_id id);
  void propose(raft::node_id id, std::istream& words);
  bool sync(raft::node_id id);
  void snapshot(raft::node_id id);
  void miss(raft::node_id id, raft::index_t index);
  bool deliver(std::optional<link> only, std::size_t count);
  void drop(std::optional<link> only);
  void stabilize();
  void status();

  void receive(const raft::rpc& message);
  void step(raft::node_id id, const raft::event& what);
  void carry_out(raft::node_id id, raft::output out);
  void start_and_stop_replicators(raft::node_id id, const raft::membership_change& change);
  void show(raft::node_id id, const raft::output& out);
  void change_role(raft::node_id id, raft::transition next);
  void tell_replicators(raft::node_id id, const raft::replicate& what);
  void step_replicator(raft::node_id id, raft::node_id peer, const raft::replicator_event& what);
  void carry_out(raft::node_id id, raft::node_id peer, raft::replicator_output out);
  raft::snapshot_stored take_in(raft::node_id id, const raft::snapshot_request& chunk);
  raft::snapshot_chunk chunk_of(raft::node_id id, const raft::chunk_request& question);
  void send(raft::node_id id, const raft::rpc& message);

  node& at(raft::node_id id);
  void say(raft::node_id id, const std::string& what);

  raft::options opts_;
  raft::time_point now_{std::chrono::seconds{1000}};
  std::map<raft::node_id, node> nodes_;
  std::deque<raft::rpc> wire_;
  std::set<link> cut_;
  raft::tag_t last_tag_ = 0;
  std::string said_;
};

} // namespace troupe::interaction
