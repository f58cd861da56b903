#include "raft/read_index_queue.hpp"

#include <algorithm>
#include <utility>

namespace troupe::raft {
namespace {

/// The maximum of reads that wait for confirmation. Callers batch their reads into one, so this is far beyond any
/// normal load.
constexpr std::size_t max_waiting_reads = 65536;

} // namespace

bool read_index_queue::add(tag_t tag) {
  if (reads_.size() >= max_waiting_reads) return false;
  reads_.push_back({tag, 0, 0});
  return true;
}

void read_index_queue::admit(index_t commit) {
  for (auto& read : reads_) {
    if (read.round != 0) continue;
    read.index = commit;
    // The newest round started before the read arrived.
    read.round = round_ + 1;
  }
}

void read_index_queue::confirm(std::uint64_t confirmed, std::vector<read_ready>& ready) {
  confirmed_ = std::max(confirmed_, confirmed);
  std::erase_if(reads_, [&](const waiting_read& read) {
    if (read.round == 0 || read.round > confirmed_) return false;
    ready.push_back({read.tag, read.index});
    return true;
  });
}

bool read_index_queue::begin_round() {
  const bool waiting = std::any_of(reads_.begin(), reads_.end(), [&](const auto& r) { return r.round > round_; });
  if (!waiting || confirmed_ < round_) return false;
  ++round_;
  return true;
}

std::vector<tag_t> read_index_queue::take_all() {
  std::vector<tag_t> tags;
  for (const auto& read : std::exchange(reads_, {})) tags.push_back(read.tag);
  return tags;
}

} // namespace troupe::raft
