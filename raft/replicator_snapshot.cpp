// The half of a replicator that sends a snapshot, a piece at a time.
#include "raft/replicator.hpp"

#include <algorithm>

namespace troupe::raft {

void replicator::begin_snapshot(replicator_output& out) {
  mode_ = mode::snapshot;
  empty_window();
  piece_sent_at_.reset();
  resume_at_ = {};
  // One that was begun is gone on with: a newer one each time would never arrive at a slow peer.
  if (snapshot_.last.index < reach()) begin_anew({});
  ask_for_piece(out);
}

void replicator::begin_anew(time_point when) {
  snapshot_ = {};
  next_byte_ = 0;
  piece_sent_at_.reset();
  resume_at_ = when;
}

void replicator::snapshot_tick(time_point now, replicator_output& out) {
  if (piece_sent_at_ && now >= *piece_sent_at_ + piece_patience()) {
    // Lost, or the peer is gone or busy loading what it has: find out where it stands. It knows what it holds already.
    // From the end: what is surely common may be compacted, and nothing would be asked.
    probe_from(last_ + 1, std::nullopt, out);
  } else if (!piece_sent_at_ && now >= resume_at_) {
    ask_for_piece(out);
  }
}

void replicator::ask_for_piece(replicator_output& out) {
  if (reading_piece_) return;
  reading_piece_ = true;
  out.read_piece = piece_request{snapshot_, reach(), next_byte_, opts_.snapshot_chunk_bytes};
}

void replicator::on(const snapshot_piece& what, time_point now, replicator_output& out) {
  reading_piece_ = false;
  if (mode_ != mode::snapshot || piece_sent_at_) return;
  if (!what.snapshot || what.data.empty()) {
    // It is being taken, or a newer one has taken its place, or its file is shorter than it should be.
    begin_anew(now + opts_.election_min);
    // A peer that lost its state has its log: the leader may need its copies to commit, and so to make the snapshot
    // that is missing.
    if (must_reach_ > 0) probe_from(last_ + 1, std::nullopt, out);
    return;
  }
  if (what.offset != next_byte_ || (snapshot_ && snapshot_ != what.snapshot)) {
    ask_for_piece(out);
    return;
  }
  snapshot_ = what.snapshot;
  piece_sent_at_ = now;
  resume_at_ = now + pause_after(what.data.size());
  out.send_piece = snapshot_request{head_, snapshot_, what.offset, what.data, round_};
}

void replicator::on(const snapshot_response& what, time_point now, replicator_output& out) {
  if (what.head.term != head_.term || what.head.from != head_.to) return;
  heard_at_ = now;
  out.report = peer_report{head_.term, head_.to, match_, what.round, now, true};
  const bool awaited = piece_sent_at_ && what.snapshot == snapshot_ && what.offset == next_byte_;
  if (mode_ != mode::snapshot || !awaited) return;
  if (what.failed) {
    // A peer without room must not be sent all of it again and again.
    if (!what.no_room) out.doubted = snapshot_;
    begin_anew(now + (what.no_room ? 10 : 1) * piece_patience());
    return;
  }
  if (what.next >= snapshot_.size) {
    // All of it is there; what comes next is the word that it is in use.
    piece_sent_at_ = now;
    return;
  }
  next_byte_ = what.next;
  piece_sent_at_.reset();
  if (now >= resume_at_) ask_for_piece(out);
}

duration replicator::pause_after(std::size_t bytes) const {
  if (opts_.snapshot_bytes_per_second == 0) return {};
  const std::chrono::duration<double> pause{static_cast<double>(bytes) /
                                            static_cast<double>(opts_.snapshot_bytes_per_second)};
  return std::chrono::duration_cast<duration>(pause);
}

} // namespace troupe::raft
