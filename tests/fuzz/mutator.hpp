// Deterministic mutations of a fuzz target's inputs.
#pragma once

#include "raft/base/random.hpp"

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace troupe::fuzz {

class mutator {
 public:
  /// `pool` must not be empty. No result is longer than `max_size` bytes.
  mutator(std::uint64_t seed, std::vector<std::string> pool, std::vector<std::string> words, std::size_t max_size)
      : random_(seed), pool_(std::move(pool)), words_(std::move(words)), max_size_(max_size) {}

  /// A member of the pool with one to eight changes.
  std::string next();

 private:
  std::size_t below(std::size_t limit) { return limit == 0 ? 0 : static_cast<std::size_t>(random_.next() % limit); }
  const std::string& any_of(const std::vector<std::string>& choices) { return choices[below(choices.size())]; }
  void change(std::string& bytes);
  void put_number(std::string& bytes);
  void insert(std::string& bytes, const std::string& what);
  std::string part_of(const std::string& bytes);

  raft::prng random_;
  std::vector<std::string> pool_;
  std::vector<std::string> words_;
  std::size_t max_size_;
};

} // namespace troupe::fuzz
