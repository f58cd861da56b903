// The dumb oracle of the storage tests: a log is a vector.
#pragma once

#include "raft/storage.hpp"
#include "runtime/storage/wal.hpp"

#include <cstdint>
#include <filesystem>
#include <random>
#include <vector>

namespace troupe::test {

/// What a storage must hold after some writes.
struct log_model {
  raft::hard_state hard;
  std::vector<raft::entry> entries;

  void apply(const raft::write& change);
  std::vector<raft::entry> read(raft::index_t first, raft::index_t last, std::size_t max_bytes) const;
  raft::recovered recovered() const;
  friend bool operator==(const log_model&, const log_model&) = default;
};

/// True when both tell the same, notes aside.
bool same(const raft::recovered& a, const raft::recovered& b);

using random_source = std::mt19937_64;
/// A number in [low, high].
std::uint64_t pick(random_source& random, std::uint64_t low, std::uint64_t high);

/// A write that fits the model: any mix of term and vote, truncation and entries.
raft::write random_write(random_source& random, const log_model& model, std::size_t max_data);

raft::entry make_entry(raft::index_t index, raft::term_t term, std::string data);
/// Entries with `size` bytes of data each, for the indexes first ... last.
raft::write make_append(raft::index_t first, raft::index_t last, raft::term_t term, std::size_t size);

/// Everything in a storage, as a model.
log_model contents(raft::storage& from, const raft::recovered& found);

/// Opens the log in "/log" and reads all of it.
log_model open_and_read(file_system& fs, const wal_options& options, std::vector<std::string>* notes = nullptr);

/// Small segments, so that a test sees many.
wal_options small_options();

} // namespace troupe::test
