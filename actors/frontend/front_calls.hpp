// The unanswered calls of a front, and its next batch to the proxy.
#pragma once

#include "actors/protocol/interfaces.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace troupe {

/// The response promises of one front, by the numbers of its commands. Only that front's actor uses it.
class front_calls {
 public:
  /// Decodes `payload` and answers the caller with the typed result. Returns false if it cannot be decoded.
  using deliver_result = bool (*)(caf::response_promise& promise, std::string_view payload);

  /// Registers a call; its command becomes part of the next `take_batch`.
  void add(caf::response_promise promise, deliver_result deliver, access how, std::chrono::milliseconds timeout,
           std::string envelope);
  /// True if the call just added is the first one since the last batch, so that a flush must be sent.
  bool starts_batch() const noexcept { return batch_.commands.size() == 1; }
  bool has_batch() const noexcept { return !batch_.commands.empty(); }
  command_batch take_batch() { return std::exchange(batch_, {}); }

  void settle(outcome_batch& answers);
  /// Answers every call with an error, because the proxy ended. `answered_all`: the proxy answered every call that it
  /// had received, so all others were surely not done.
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

} // namespace troupe
