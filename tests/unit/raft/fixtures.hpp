// Small factory functions that the tests of the core share.
#pragma once

#include "raft/node_state.hpp"

#include <string>
#include <vector>

namespace troupe::raft::test {

inline constexpr cluster_id cluster{7};

inline entry command(index_t index, term_t term, std::string text = "x") {
  return {index, term, entry_kind::command, bytes{std::move(text)}};
}

inline configuration voters(std::uint64_t count) {
  configuration c;
  for (std::uint64_t i = 1; i <= count; ++i) c.voters.push_back({node_id{i}, {}});
  return c;
}

/// A disk whose log has these terms; the first entry is the configuration of `nodes` voters.
inline recovered disk_with(const std::vector<term_t>& terms, hard_state hard, std::uint64_t nodes = 3) {
  recovered disk;
  disk.hard = hard;
  disk.last_index = terms.size();
  for (index_t i = 1; i <= terms.size(); ++i)
    if (disk.terms.empty() || disk.terms.back().term != terms[i - 1]) disk.terms.push_back({i, terms[i - 1]});
  if (!terms.empty())
    disk.configurations.push_back({1, terms[0], entry_kind::configuration, bytes{encode(voters(nodes))}});
  return disk;
}

/// Node 1 as it starts from that disk.
inline node_state state_with(const std::vector<term_t>& terms, hard_state hard, std::uint64_t nodes = 3) {
  return {node_id{1}, cluster, {}, 42, disk_with(terms, hard, nodes)};
}

inline header from(std::uint64_t peer, term_t term) { return {cluster, node_id{peer}, node_id{1}, term}; }

/// The mark of everything that was handed to the log store.
inline durable_mark all_of(const node_state& s) { return {s.last_write(), s.log().last_index(), s.log().last_term()}; }

} // namespace troupe::raft::test
