// Discovery by mDNS, through avahi-daemon: announces this node and looks for others.
//
//   [no daemon] -- it is there --> [running]: announces, browses, resolves what shows up
//        ^                             |
//        +-- (pause) --- it went, or failed
//
// Avahi has a thread of its own, in which its callbacks run. `run` waits beside it and is the one that makes things
// anew when they failed.
#pragma once

#include "discovery/blocking_method.hpp"
#include "discovery/mdns_view.hpp"
#include "discovery/pause.hpp"
#include "discovery/spec.hpp"
#include "raft/base/backoff.hpp"

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>

namespace troupe {

class mdns_method final : public blocking_method {
 public:
  mdns_method(mdns_service service, std::uint64_t seed);
  void run(const std::stop_token& stop, method_listener& listener) override;

  /// What is announced from now on; until then, nothing is. Thread-safe.
  void announce(const mdns_identity& who);

 private:
  bool serve(const std::stop_token& stop, method_listener& listener);

  mdns_service service_;
  raft::backoff backoff_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::optional<mdns_identity> who_;
};

} // namespace troupe
