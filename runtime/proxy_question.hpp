// Asks the proxy one thing, and is gone.
//
//   (spawned) -- ask_proxy: a command for the proxy --> [waiting] -- its outcome, or the proxy's end --> (gone)
#pragma once

#include "actors/protocol/interfaces.hpp"

#include <chrono>

namespace troupe {

struct ask_proxy {
  access how = access::write;
  /// An encoded command; empty: nothing but what `how` says.
  raft::bytes payload;
  std::chrono::milliseconds timeout{5000};
};
struct proxy_answer {
  index_t index = 0;
  std::string payload;
};

/// An asker of the proxy (`asker_handle`), as a front is. Errors are the proxy's.
using proxy_question_handle = compat::handle<proxy_answer(ask_proxy), void(outcome_batch), void(read_index_answer)>;

class proxy_question : public proxy_question_handle::base {
 public:
  proxy_question(caf::actor_config& config, proxy_handle proxy);
  behavior_type make_behavior() override;
  const char* name() const override { return "proxy_question"; }
  void on_exit() override;

 private:
  caf::result<proxy_answer> ask(const ask_proxy& what);
  void answered(outcome_batch& answers);
  void fail(const caf::error& why);
  /// The proxy, or this actor, ended before the answer.
  caf::error cut_short() const;

  proxy_handle proxy_;
  /// What may be done although nobody says so.
  bool writes_ = false;
  caf::typed_response_promise<proxy_answer> promise_;
};

} // namespace troupe

TROUPE_LOCAL_MESSAGE(troupe::ask_proxy);
TROUPE_LOCAL_MESSAGE(troupe::proxy_answer);
