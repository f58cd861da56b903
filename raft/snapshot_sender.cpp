#include "raft/snapshot_sender.hpp"

#include <chrono>

namespace troupe::raft {

void snapshot_sender::want(index_t reach, time_point now, sender_output& out) {
  const bool was_active = active();
  reach_ = reach;
  if (snapshot_ && snapshot_.last.index < reach) start_over(resume_at_);
  if (!was_active) {
    silent_ = false;
    sent_at_.reset();
  }
  ask(now, out);
}

void snapshot_sender::rest() {
  reach_ = 0;
  sent_at_.reset();
  silent_ = false;
}

void snapshot_sender::forget() {
  start_over({});
  silent_ = false;
}

void snapshot_sender::repeat() { sent_at_.reset(); }

void snapshot_sender::heard(time_point now, sender_output& out) {
  silent_ = false;
  ask(now, out);
}

bool snapshot_sender::tick(time_point now, sender_output& out) {
  if (!active()) return false;
  if (sent_at_ && now >= *sent_at_ + response_timeout()) {
    sent_at_.reset();
    silent_ = true;
    return true;
  }
  ask(now, out);
  return false;
}

void snapshot_sender::ask(time_point now, sender_output& out) {
  if (!active() || reading_ || sent_at_ || silent_ || now < resume_at_) return;
  reading_ = true;
  out.read_chunk = chunk_request{snapshot_, reach_, next_byte_, opts_.snapshot_chunk_bytes};
}

void snapshot_sender::start_over(time_point when) {
  snapshot_ = {};
  next_byte_ = arrived_ = 0;
  sent_at_.reset();
  resume_at_ = when;
}

void snapshot_sender::on(const snapshot_chunk& what, time_point now, sender_output& out) {
  reading_ = false;
  if (!active() || sent_at_ || silent_) return;
  // The answer to a request from before this sender started over.
  if (what.snapshot && what.offset != next_byte_) return ask(now, out);
  const bool fits = snapshot_ ? snapshot_ == what.snapshot : what.snapshot.last.index >= reach_;
  if (!what.snapshot || what.data.empty() || !fits) {
    // The snapshot is still being taken, or has been replaced by a newer one, or its file is too short.
    return start_over(now + opts_.election_min);
  }
  snapshot_ = what.snapshot;
  sent_at_ = now;
  resume_at_ = now + pause_after(what.data.size());
  out.send_chunk = what;
}

void snapshot_sender::on(const snapshot_response& what, time_point now, sender_output& out) {
  if (!active() || !sent_at_ || what.snapshot != snapshot_ || what.offset != next_byte_) return;
  if (what.failed) {
    // A peer without room must not be sent the whole snapshot again and again.
    if (!what.no_room) out.doubted = snapshot_;
    return start_over(now + (what.no_room ? 10 : 1) * response_timeout());
  }
  arrived_ = what.next;
  if (what.next >= snapshot_.size) {
    // The peer has the whole snapshot. The next response reports that it is loaded.
    sent_at_ = now;
    return;
  }
  next_byte_ = what.next;
  sent_at_.reset();
  ask(now, out);
}

std::optional<time_point> snapshot_sender::deadline() const {
  if (!active() || silent_) return std::nullopt;
  if (sent_at_) return *sent_at_ + response_timeout();
  return reading_ ? std::nullopt : std::optional{resume_at_};
}

std::optional<snapshot_transfer> snapshot_sender::transfer() const {
  return active() ? std::optional{snapshot_transfer{snapshot_, arrived_}} : std::nullopt;
}

duration snapshot_sender::pause_after(std::size_t bytes) const {
  if (opts_.snapshot_bytes_per_second == 0) return {};
  const std::chrono::duration<double> pause{static_cast<double>(bytes) /
                                            static_cast<double>(opts_.snapshot_bytes_per_second)};
  return std::chrono::duration_cast<duration>(pause);
}

} // namespace troupe::raft
