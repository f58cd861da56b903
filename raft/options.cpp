#include <string>
#include <troupe/cluster_options.hpp>

namespace troupe {
namespace {

/// A message and its overhead must fit into a frame of the transport.
constexpr std::size_t most_in_message = std::size_t{8} << 20;

std::string check_size(const char* field, std::size_t value, std::size_t most) {
  if (value > 0 && value <= most) return {};
  return "raft." + std::string{field} + " must be from 1 to " + std::to_string(most) + ", not " + std::to_string(value);
}

} // namespace

std::string objection(const raft_options& opts) {
  using duration = raft_options::duration;
  if (opts.heartbeat <= duration::zero()) return "raft.heartbeat must be longer than 0";
  if (opts.election_min < 2 * opts.heartbeat) return "raft.election_min must be at least twice raft.heartbeat";
  if (opts.election_max < opts.election_min) return "raft.election_max must not be less than raft.election_min";
  if (opts.commit_lag < duration::zero()) return "raft.commit_lag must not be negative";
  if (opts.disk_stall_limit != duration::zero() && opts.disk_stall_limit < opts.election_max)
    return "raft.disk_stall_limit must be 0 (twice raft.election_max) or not less than raft.election_max";
  if (opts.catch_up_log_time < duration::zero()) return "raft.catch_up_log_time must not be negative";
  struct size_field {
    const char* name;
    std::size_t value;
    std::size_t most;
  };
  for (const auto& field : {size_field{"max_append_bytes", opts.max_append_bytes, most_in_message},
                            size_field{"max_inflight_messages", opts.max_inflight_messages, 65'536},
                            size_field{"max_inflight_bytes", opts.max_inflight_bytes, std::size_t{1} << 40},
                            size_field{"max_uncommitted_bytes", opts.max_uncommitted_bytes, std::size_t{1} << 40},
                            size_field{"snapshot_chunk_bytes", opts.snapshot_chunk_bytes, most_in_message}})
    if (auto why = check_size(field.name, field.value, field.most); !why.empty()) return why;
  return {};
}

} // namespace troupe
