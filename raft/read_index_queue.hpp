// The reads that wait until a quorum confirms that this leader still leads (Ongaro's thesis, section 6.4).
#pragma once

#include "raft/events.hpp"

#include <vector>

namespace troupe::raft {

/// Pure. Rounds are numbered; requests to the peers carry the newest one, and responses return it. A round that began
/// after a read arrived confirms that read when a quorum has responded to it.
class read_index_queue {
 public:
  /// False if too many reads wait.
  bool add(tag_t tag);
  /// The reads so far get `commit` as their index, at which an entry of this leader's term is committed. Before that
  /// the commit index may lag behind acknowledged writes, so reads wait.
  void admit(index_t commit);
  /// A quorum has responded to the round `confirmed`. Moves the reads that it confirms to `ready`.
  void confirm(std::uint64_t confirmed, std::vector<read_ready>& ready);
  /// Begins a round if a read waits for one and the last one is confirmed: reads that arrive during a round share the
  /// next one. Returns false if none began.
  bool begin_round();
  std::uint64_t round() const noexcept { return round_; }
  /// Empties the queue. Returns the tags of its reads.
  std::vector<tag_t> take_all();

 private:
  /// `index` and `round` are 0 until the read is admitted.
  struct waiting_read {
    tag_t tag;
    index_t index;
    std::uint64_t round;
  };
  /// confirmed_ <= round_: the newest round, and the newest to which a quorum has responded.
  std::uint64_t round_ = 0;
  std::uint64_t confirmed_ = 0;
  std::vector<waiting_read> reads_;
};

} // namespace troupe::raft
