// The oracle of the storage tests: a log is a vector.
#pragma once

#include "raft/storage.hpp"
#include "runtime/storage/wal.hpp"

#include <cstdint>
#include <filesystem>
#include <random>
#include <vector>

namespace troupe::test {

/// The expected content of a storage after some writes.
struct log_model {
  raft::hard_state hard;
  raft::log_position start;
  std::vector<raft::entry> entries; // after start

  raft::index_t last_index() const { return start.index + entries.size(); }
  void apply(const raft::write& change);
  /// This log as if it began after `index`, which must be in it.
  log_model behind(raft::index_t index) const;
  std::vector<raft::entry> read(raft::index_t first, raft::index_t last, std::size_t max_bytes) const;
  raft::recovered recovered() const;
  friend bool operator==(const log_model&, const log_model&) = default;
};

/// True if both are equal, except for notes.
bool same(const raft::recovered& a, const raft::recovered& b);

using random_source = std::mt19937_64;
/// A number in [low, high].
std::uint64_t pick(random_source& random, std::uint64_t low, std::uint64_t high);

/// A write that fits the model: any combination of term and vote, truncation (after `compacted`) and entries, and
/// occasionally a reset.
raft::write random_write(random_source& random, const log_model& model, std::size_t max_data,
                         raft::index_t compacted = 0);

raft::entry make_entry(raft::index_t index, raft::term_t term, std::string data);
/// Entries with `size` bytes of data each, for the indexes first ... last.
raft::write make_append(raft::index_t first, raft::index_t last, raft::term_t term, std::size_t size);

raft::write make_reset(raft::index_t index, raft::term_t term);
raft::write make_truncation(raft::index_t from);

/// The whole content of a storage as a model.
log_model contents(raft::storage& from, const raft::recovered& found);

/// Opens the log in "/log" and reads all of it.
log_model open_and_read(file_system& fs, const wal_options& options, std::vector<std::string>* notes = nullptr);

/// Options with small segments, so that a test uses many.
wal_options small_options();

} // namespace troupe::test
