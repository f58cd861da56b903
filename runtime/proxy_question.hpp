// Sends one request to the proxy, then ends.
//
//   (spawned) -- ask_proxy: a command or a change for the proxy --> [waiting] -- its outcome, or the proxy's end -->
//   (gone)
#pragma once

#include "actors/protocol/interfaces.hpp"

#include <chrono>
#include <optional>

namespace troupe {

struct ask_proxy {
  access how = access::write;
  /// An encoded command or query. Empty with a linearizable read: only waits until the read can be served.
  raft::bytes payload;
  std::chrono::milliseconds timeout{5000};
  /// Asks the leader for this change of the cluster instead: `how` and `payload` are ignored.
  std::optional<cluster_change> change = {};
};
struct proxy_answer {
  index_t index = 0;
  std::string payload;
};

/// Accepts the proxy's answers like a front (`requester_handle`). Errors are those of the proxy.
using proxy_question_handle = compat::handle<proxy_answer(ask_proxy), void(outcome_batch), void(read_index_answer)>;

class proxy_question : public compat::typed_base<proxy_question_handle> {
 public:
  proxy_question(caf::actor_config& config, proxy_handle proxy);
  behavior_type make_behavior() override;
  const char* name() const override { return "proxy_question"; }
  void on_end() override;

 private:
  caf::result<proxy_answer> ask(const ask_proxy& what);
  void answered(outcome_batch& answers);
  void fail(const caf::error& why);
  /// The proxy, or this actor, ended before the answer.
  caf::error cut_short() const;

  proxy_handle proxy_;
  /// The request is a write, so it may be done even if no answer arrives.
  bool writes_ = false;
  caf::typed_response_promise<proxy_answer> promise_;
};

} // namespace troupe

TROUPE_LIBRARY_MESSAGE(troupe::ask_proxy);
TROUPE_LIBRARY_MESSAGE(troupe::proxy_answer);
