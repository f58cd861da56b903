#include "tests/sim/linearizability.hpp"

#include "raft/base/random.hpp"

#include <algorithm>
#include <map>
#include <unordered_set>

namespace troupe::sim {
namespace {

/// Depth-first search. The path is kept on an explicit stack, so that a long history does not exhaust the call stack.
class search {
 public:
  search(std::vector<operation> history, std::size_t max_states)
      : ops_(std::move(history)), taken_((ops_.size() + 63) / 64, 0), max_states_(max_states) {
    for (auto& op : ops_)
      if (!op.result) op.end = raft::duration::max();
    // Operations that end early come first: this order most often leads straight to the goal.
    std::stable_sort(ops_.begin(), ops_.end(), [](const auto& a, const auto& b) { return a.end < b.end; });
    known_ = static_cast<std::size_t>(
        std::count_if(ops_.begin(), ops_.end(), [](const operation& op) { return op.result.has_value(); }));
  }

  verdict run() {
    std::size_t next = 0;
    while (done_ < known_) {
      if (advance(next)) {
        next = 0;
        if (visited_.size() > max_states_) return verdict::undecided;
        continue;
      }
      if (path_.empty()) return verdict::broken;
      next = retreat();
    }
    return verdict::linearizable;
  }

 private:
  struct choice {
    std::size_t op;
    std::uint64_t before;
  };

  bool taken(std::size_t i) const { return taken_[i / 64] >> (i % 64) & 1; }
  void flip(std::size_t i) {
    taken_[i / 64] ^= std::uint64_t{1} << (i % 64);
    // The fingerprint of the set: 64 pseudo-random bits for each member.
    fingerprint_ ^= raft::prng{i}.next();
  }

  /// Takes the first applicable operation from `from` on.
  bool advance(std::size_t from) {
    // An operation that began after some open operation ended must wait for that one.
    auto horizon = raft::duration::max();
    for (std::size_t i = 0; i < known_; ++i)
      if (!taken(i)) {
        horizon = ops_[i].end;
        break;
      }
    for (auto i = from; i < ops_.size(); ++i) {
      const auto& op = ops_[i];
      if (taken(i) || op.begin > horizon || (!op.result && op.what.what == action::read)) continue;
      auto cell = cell_;
      const auto got = execute(op.what, cell);
      if (op.result && !(got == *op.result)) continue;
      if (!op.result && cell == cell_) continue;
      flip(i);
      if (!visited_.insert({fingerprint_, cell}).second) {
        flip(i);
        continue;
      }
      path_.push_back({i, cell_});
      cell_ = cell;
      if (op.result) ++done_;
      return true;
    }
    return false;
  }

  std::size_t retreat() {
    const auto last = path_.back();
    path_.pop_back();
    flip(last.op);
    cell_ = last.before;
    if (ops_[last.op].result) --done_;
    return last.op + 1;
  }

  struct state {
    std::uint64_t set;
    std::uint64_t cell;
    bool operator==(const state&) const = default;
  };
  struct state_hash {
    std::size_t operator()(const state& s) const noexcept { return s.set ^ (s.cell * 0x94d049bb133111ebu); }
  };

  std::vector<operation> ops_;
  std::vector<std::uint64_t> taken_;
  std::size_t max_states_;
  std::size_t known_ = 0;
  std::size_t done_ = 0;
  std::uint64_t cell_ = 0;
  std::uint64_t fingerprint_ = 0;
  std::vector<choice> path_;
  std::unordered_set<state, state_hash> visited_;
};

} // namespace

verdict check_register(std::vector<operation> history, std::size_t max_states) {
  return search{std::move(history), max_states}.run();
}

history_report check_history(const std::vector<operation>& history) {
  std::map<std::uint32_t, std::vector<operation>> by_key;
  for (const auto& op : history) by_key[op.what.key].push_back(op);
  history_report report;
  for (auto& [key, part] : by_key) {
    switch (check_register(std::move(part))) {
    case verdict::linearizable:
      break;
    case verdict::broken:
      report.broken_keys.push_back(key);
      break;
    case verdict::undecided:
      ++report.undecided;
      break;
    }
  }
  return report;
}

} // namespace troupe::sim
