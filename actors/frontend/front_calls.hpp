// What every front needs whatever its service: unanswered calls, and batches to the proxy.
#pragma once

#include "actors/protocol/interfaces.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace troupe::services {

/// The promises of one front, by the numbers of its commands. Used by that front's actor alone.
class front_calls {
 public:
  /// Turns a positive outcome into the caller's typed result.
  using deliver_result = void (*)(caf::response_promise& promise, command_outcome&& outcome);

  /// Registers a call; its command is part of the next `take_batch`.
  void add(caf::response_promise promise, deliver_result deliver, access how, std::chrono::milliseconds timeout,
           std::string envelope);
  /// True if this is the first call since the last batch, so that a flush must be sent.
  bool starts_batch() const noexcept { return batch_.commands.size() == 1; }
  bool has_batch() const noexcept { return !batch_.commands.empty(); }
  command_batch take_batch() { return std::exchange(batch_, {}); }

  void settle(outcome_batch& answers);
  /// Answers every call: nothing will come any more. `answered_all`: who had them answered what it knew of, so that the
  /// rest was surely not done.
  void abandon(const std::string& why, bool answered_all);

 private:
  struct call {
    caf::response_promise promise;
    deliver_result deliver = nullptr;
    access how = access::write;
  };

  std::uint64_t last_number_ = 0;
  std::unordered_map<std::uint64_t, call> calls_;
  command_batch batch_;
};

} // namespace troupe::services
