// The state of a link that a node or a client keeps to one address: when to dial, when to send a hello, and how long to
// pause between attempts.
//
//             dialed               accepted
//   [dialing] ------> [greeting] ------------> [up] --- repeats its hello every hello_interval
//       ^  error          |  refused, timeout     |  connection lost, max_silences timeouts, refused
//       |                 v                       v
//       +---- timer --- [waiting] <---------------+      (50 ms to 1 s, doubled with every failure, jittered; up to
//                                                         longest_pause_unanswered until the first accepted answer)
//   From each of these: end --> [ended], which is final.
#pragma once

#include "raft/base/backoff.hpp"

#include <chrono>
#include <cstdint>
#include <optional>

namespace troupe {

/// What differs between the kinds of links.
struct link_options {
  /// How long to wait for the answer to the first hello of a connection, and to later ones.
  std::chrono::milliseconds first_hello_timeout{};
  std::chrono::milliseconds repeated_hello_timeout{};
  /// After so many unanswered hellos in a row a working link is lost. At least 1.
  unsigned max_silences = 1;
  /// From an answer to the next hello.
  raft::duration hello_interval{};
  /// Limit of the pauses until the first accepted answer.
  raft::duration longest_pause_unanswered = std::chrono::seconds{1};
  /// `redial` ends a pause only so long after the last attempt began.
  raft::duration min_redial_interval{};
};

/// Pure. Its owner does what the return values say, and passes on what happens.
class link_state {
 public:
  enum class phase { dialing, greeting, up, waiting, ended };
  enum class action { none, dial, greet };

  link_state(const link_options& options, std::uint64_t seed);

  bool up() const noexcept { return phase_ == phase::up; }

  /// A dial begins. Returns the number of the attempt, which identifies the answers to everything that is sent in it.
  std::uint64_t begin_dialing(raft::time_point now);
  /// The number of the current attempt.
  std::uint64_t attempt() const noexcept { return attempt_; }
  /// False for an answer of an earlier attempt, which is to be ignored.
  bool is_current(std::uint64_t attempt) const noexcept { return attempt == attempt_; }
  void dialed() noexcept { phase_ = phase::greeting; }

  /// A hello is being sent. Returns how long to wait for its answer.
  std::chrono::milliseconds begin_hello() noexcept;
  /// An answer arrived. Call `accepted`, `lost` or `end` next.
  void answered() noexcept;
  void accepted() noexcept;
  /// How long to wait after the accepted answer before the next hello; nullopt if it is to be sent at once.
  std::optional<raft::duration> next_hello() const noexcept;
  /// No answer arrived in time. Returns true if the hello is to be repeated; otherwise the link is lost.
  bool unanswered() noexcept;

  /// The attempt failed, or the link was lost. Returns the pause before the next attempt.
  raft::duration lost();
  void end() noexcept;

  /// Returns the generation of a new timer; earlier timers are no longer valid.
  std::uint64_t arm() noexcept { return ++generation_; }
  action fired(std::uint64_t generation) const noexcept;
  /// The other end is known to be there now.
  action redial(raft::time_point now) const noexcept;
  /// The content of the hello changed. If a hello is outstanding, the next one follows its answer.
  action hello_changed() noexcept;

 private:
  void leave_attempt() noexcept;

  link_options options_;
  raft::backoff pauses_;
  raft::backoff pauses_unanswered_;
  phase phase_ = phase::dialing;
  raft::time_point dialed_at_;
  std::uint64_t attempt_ = 0;
  std::uint64_t generation_ = 0;
  /// An answer was accepted at some time.
  bool accepted_ = false;
  /// A hello of the current attempt is outstanding.
  bool asking_ = false;
  bool ask_again_ = false;
  unsigned silences_ = 0;
};

} // namespace troupe
