// Discovery by the Kubernetes API: lists EndpointSlices or pods, then watches them.
//
//   [list] -- listed --> [watch] -- ended in time, or broke --> (pause) --> [watch], from the last version
//     |  ^                  |
//     |  +-- (pause) -------+  expired (410): after a short pause, which doubles if this repeats;
//     |  |                     refused, or not understood: at the polling interval
//     +--+  failed: (pause), doubled each time
#pragma once

#include "discovery/kubernetes_access.hpp"
#include "discovery/kubernetes_view.hpp"
#include "discovery/pause.hpp"
#include "discovery/spec.hpp"
#include "raft/base/backoff.hpp"
#include "runtime/http/client/client.hpp"

#include <cstdint>
#include <string>
#include <troupe/blocking_method.hpp>

namespace troupe {

struct kubernetes_timing {
  /// Time limit of a request other than a watch.
  raft::duration request = std::chrono::seconds{10};
  /// Duration of a watch at the server, varied by up to a quarter.
  raft::duration watch = std::chrono::seconds{240};
  /// Interval of lists if watching is not possible.
  raft::duration poll = std::chrono::seconds{10};
  raft::duration first_pause = std::chrono::milliseconds{500};
  raft::duration longest_pause = std::chrono::seconds{30};
};

class kubernetes_method final : public blocking_method {
 public:
  kubernetes_method(kubernetes_query query, kubernetes_access access, std::uint64_t seed,
                    kubernetes_timing timing = {});
  void run(const std::stop_token& stop, method_listener& listener) override;

 private:
  enum class watch_end { timely, expired, broken, refused };

  struct api_request {
    std::string target;
    std::string token;
  };
  api_request request_for(const std::string& more) const;
  void list(http::client& client, const std::stop_token& stop);
  void follow(http::client& client, const std::stop_token& stop, method_listener& listener);
  watch_end watch(http::client& client, const std::stop_token& stop, method_listener& listener);

  kubernetes_query query_;
  kubernetes_access access_;
  kubernetes_timing timing_;
  kubernetes_view view_;
  raft::backoff backoff_;
};

} // namespace troupe
