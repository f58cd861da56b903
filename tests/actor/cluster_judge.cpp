// The oracle of the cluster tests. A key is put at most once, so it is a register that is written at most once, and the
// log alone determines the outcome of each put.
#include "services/command.hpp"
#include "tests/actor/cluster_disk.hpp"
#include "tests/actor/cluster_world.hpp"

#include <algorithm>

namespace troupe::test {

namespace {

std::optional<std::string> key_of(const raft::entry& e) {
  if (e.kind != raft::entry_kind::command) return {};
  const auto parts = services::decode_command(e.data.view());
  map::put put;
  if (!parts || parts->tag != map::put::tag || !msgpack_serializer::decode(parts->payload, put)) return {};
  return put.key;
}

std::vector<raft::entry> all_of(disk& d) { return d.memory.read(1, d.memory.contents().last_index, SIZE_MAX); }

} // namespace

bool cluster_world::on_most_disks(index_t index, const std::string& key) {
  const auto copies = std::count_if(members_.begin(), members_.end(), [&](const auto& each) {
    auto& d = *each.second.storage;
    if (d.durable < index) return false;
    const auto found = d.memory.read(index, index, SIZE_MAX);
    return !found.empty() && key_of(found.front()) == key;
  });
  return copies >= 2;
}

bool cluster_world::all_equal() {
  const auto first = all_of(*members_.at(node_id{1}).storage);
  for (const auto id : ids()) {
    const auto now_there = status(id);
    if (!now_there || !now_there->ready || now_there->applied != first.size()) return false;
    if (all_of(*members_.at(id).storage) != first) return false;
  }
  return true;
}

void cluster_world::judge() {
  std::map<std::string, std::vector<index_t>> in_log;
  for (const auto& e : all_of(*members_.at(node_id{1}).storage))
    if (const auto key = key_of(e)) in_log[*key].push_back(e.index);
  for (const auto& c : calls_) {
    if (!c.answered)
      problems_.push_back("no answer for " + c.key);
    else if (c.answered->when > c.deadline)
      problems_.push_back("late answer for " + c.key);
    else if (c.is_put)
      judge_put(c, in_log[c.key]);
    else if (c.what() == outcome::unknown)
      problems_.push_back("unknown outcome of a read of " + c.key);
  }
  judge_gets(in_log);
}

void cluster_world::judge_put(const client_call& c, const std::vector<index_t>& in_log) {
  switch (c.what()) {
  case outcome::committed:
    if (in_log != std::vector<index_t>{c.answered->revision})
      problems_.push_back("acknowledged, but not in the log exactly once at the acknowledged index: " + c.key);
    break;
  case outcome::rejected:
    if (!in_log.empty()) problems_.push_back("rejected, but in the log: " + c.key);
    break;
  case outcome::unknown:
    if (in_log.size() > 1) problems_.push_back("twice in the log: " + c.key);
    break;
  }
}

/// Linearizability of a register that is written once: no read returns the value before the put was requested, and no
/// read returns an absent key after any client has learned of the put.
void cluster_world::judge_gets(const std::map<std::string, std::vector<index_t>>& in_log) {
  std::map<std::string, raft::time_point> asked_at;
  std::map<std::string, raft::time_point> known_at;
  for (const auto& c : calls_) {
    if (c.is_put) asked_at.emplace(c.key, c.began);
    if (!c.ok() || c.answered->revision == 0) continue;
    const auto [known, first] = known_at.emplace(c.key, c.answered->when);
    known->second = std::min(known->second, c.answered->when);
  }
  for (const auto& c : calls_) {
    if (c.is_put || !c.ok()) continue;
    const auto found = c.answered->revision != 0;
    const auto known = known_at.find(c.key);
    if (!found && known != known_at.end() && known->second < c.began) problems_.push_back("a stale read of " + c.key);
    if (!found) continue;
    if (asked_at.find(c.key) == asked_at.end() || asked_at[c.key] > c.answered->when)
      problems_.push_back("read before it was written: " + c.key);
    const auto at = in_log.find(c.key);
    if (at == in_log.end() || at->second != std::vector<index_t>{c.answered->revision})
      problems_.push_back("read, but not in the log exactly once at the index that was read: " + c.key);
  }
}

} // namespace troupe::test
