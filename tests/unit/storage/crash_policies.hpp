// Policies for what a crash leaves of unsynced data.
#pragma once

#include "runtime/storage/memory_file_system.hpp"
#include "tests/unit/storage/storage_model.hpp"

#include <memory>
#include <vector>

namespace troupe::test {

/// Nothing survives, everything survives, or each sector survives at random with some probability.
inline std::vector<memory_file_system::survives> crash_policies(std::uint64_t seed) {
  std::vector<memory_file_system::survives> all{[] { return false; }, [] { return true; }};
  for (const std::uint64_t in_ten : {1U, 5U, 9U}) {
    const auto random = std::make_shared<random_source>(seed * 10 + in_ten);
    all.push_back([random, in_ten] { return pick(*random, 1, 10) <= in_ten; });
  }
  return all;
}

} // namespace troupe::test
