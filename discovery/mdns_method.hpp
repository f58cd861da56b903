// Discovery by mDNS, through avahi-daemon: announces this node and looks for others.
//
//   [no daemon] -- it is running --> [running]: announces, browses, resolves new instances
//        ^                               |
//        +-- (pause) --- it stopped, or failed
//
// Avahi has a thread of its own on which its callbacks run. `run` waits in another thread and creates a new session
// after a failure.
#pragma once

#include "discovery/mdns_view.hpp"
#include "discovery/pause.hpp"
#include "discovery/spec.hpp"
#include "raft/base/backoff.hpp"

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <troupe/blocking_method.hpp>

namespace troupe {

class mdns_method final : public blocking_method {
 public:
  mdns_method(mdns_service service, std::uint64_t seed);
  void run(const std::stop_token& stop, method_listener& listener) override;

  /// Sets the announced identity. Before the first call nothing is announced. Thread-safe.
  void announce(const mdns_identity& identity);

 private:
  bool serve(const std::stop_token& stop, method_listener& listener);

  mdns_service service_;
  raft::backoff backoff_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::optional<mdns_identity> identity_;
};

} // namespace troupe
