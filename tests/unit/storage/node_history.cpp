#include "tests/unit/storage/node_history.hpp"

#include "raft/base/codec.hpp"
#include "runtime/storage/checksum.hpp"
#include "tests/unit/storage/snapshot_model.hpp"

#include <algorithm>

namespace troupe::test {
namespace {

constexpr raft::cluster_id cluster{0xc1};

raft::snapshot_point point_at(const std::vector<raft::entry>& log, raft::index_t index) {
  return {{index, log[index - 1].term}, 0, {}};
}

} // namespace

std::uint64_t state_after(const std::vector<raft::entry>& entries, std::uint64_t before) {
  for (const auto& value : entries) {
    std::string text;
    raft::writer out{text};
    for (const auto number : {before, value.index, value.term, static_cast<std::uint64_t>(value.kind)}) out.put(number);
    out.put_raw(value.data.view());
    before = checksum(text);
  }
  return before;
}

opened_node::opened_node(file_system& fs) : snapshots(std::make_unique<snapshot_dir>(fs, "/data/snapshots", cluster)) {
  const auto load = [&](const raft::snapshot_id& id) {
    ++loads;
    state = 0;
    const auto at = snapshots->load(id, [&](std::string_view, detail::snapshot_source& from) {
      std::string bytes(8, '\0');
      from.read(bytes);
      state = raft::reader{bytes}.get<std::uint64_t>();
    });
    return at;
  };
  log = open_state(fs, "/data/log", small_options(), *snapshots, load, found);
  if (!found.snapshot) state = 0;
  const auto behind = found.snapshot ? found.snapshot->last.index : found.start.index;
  state = state_after(log->read(behind + 1, found.last_index, SIZE_MAX), state);
}

log_model opened_node::read() { return contents(*log, found); }

node_history::node_history(memory_file_system& fs, std::uint64_t seed) : fs_(fs), random_(seed) { reopen(); }

void node_history::reopen() {
  node_.reset(); // two objects must not have the directory open
  node_ = std::make_unique<opened_node>(fs_);
}

std::vector<log_model> node_history::allowed() const { return {synced_, applied_}; }

void node_history::step() {
  const auto what = pick(random_, 0, 99);
  if (what < 55) {
    append();
  } else if (what < 65) {
    replace_tail();
  } else if (what < 77) {
    take_snapshot();
  } else if (what < 83) {
    receive_snapshot();
  } else if (what < 95) {
    compact();
  } else {
    reopen();
  }
}

raft::entry node_history::draw_entry(raft::index_t index, raft::term_t term) {
  raft::entry value{index, term, static_cast<raft::entry_kind>(pick(random_, 0, 2)), {}};
  value.data = raft::bytes{some_bytes(pick(random_, 0, 400), static_cast<unsigned>(random_()))};
  return value;
}

void node_history::write(const raft::write& change) {
  applied_.apply(change);
  node_->log->apply(change);
  node_->log->sync();
  synced_ = applied_;
}

void node_history::append() {
  raft::write change;
  auto term = std::max<raft::term_t>(applied_.hard.term, 1);
  if (pick(random_, 0, 3) == 0) change.hard = raft::hard_state{++term, {pick(random_, 0, 3)}};
  for (auto left = pick(random_, 0, 4); left > 0; --left)
    change.append.push_back(draw_entry(applied_.last_index() + 1 + change.append.size(), term));
  write(change);
  committed_ = pick(random_, committed_, synced_.last_index());
}

void node_history::replace_tail() {
  raft::write change;
  change.hard = raft::hard_state{applied_.hard.term + 1, {}};
  change.truncate_from = pick(random_, committed_ + 1, applied_.last_index() + 1);
  for (auto left = pick(random_, 0, 2); left > 0; --left)
    change.append.push_back(draw_entry(*change.truncate_from + change.append.size(), change.hard->term));
  write(change);
}

raft::snapshot_id node_history::write_snapshot(snapshot_files& to, raft::index_t at) {
  const std::vector<raft::entry> prefix(applied_.entries.begin(),
                                        applied_.entries.begin() + static_cast<std::ptrdiff_t>(at));
  std::string bytes;
  raft::writer{bytes}.put(state_after(prefix));
  bytes += some_bytes(pick(random_, 0, 2000), static_cast<unsigned>(at));
  return test::write_snapshot(to, point_at(prefix, at), {{"chain", bytes}});
}

void node_history::take_snapshot() {
  const auto known = node_->snapshots->list();
  if (committed_ > (known.empty() ? 0 : known.front().last.index)) write_snapshot(*node_->snapshots, committed_);
}

/// Receives entries that other nodes committed beyond this node's log, as a snapshot. The log is then reset to it.
void node_history::receive_snapshot() {
  const auto term = applied_.hard.term + 1;
  applied_.entries.resize(committed_);
  for (auto left = pick(random_, 1, 20); left > 0; --left)
    applied_.entries.push_back(draw_entry(applied_.last_index() + 1, term));
  const auto last = applied_.last_index();
  memory_file_system elsewhere{random_()};
  snapshot_dir leader{elsewhere, "/snapshots", cluster};
  const auto id = write_snapshot(leader, last);
  // Once the snapshot is on disk, a crash has the same result: opening resets the log.
  raft::write change;
  change.hard = applied_.hard = {term, {}};
  change.reset_to = id.last;
  send_snapshot(leader, *node_->snapshots, id, 700);
  committed_ = last;
  node_->log->apply(change);
  node_->log->sync();
  synced_ = applied_;
}

void node_history::compact() {
  const auto kept = node_->snapshots->prune(2);
  if (kept.size() < 2) return;
  node_->log->compact(kept.back().last.index);
  if (pick(random_, 0, 1) == 0) node_->log->has_room();
}

} // namespace troupe::test
