#include "runtime/proxy_question.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace troupe {

proxy_question::proxy_question(caf::actor_config& config, proxy_handle proxy)
    : compat::typed_base<proxy_question_handle>(config), proxy_(std::move(proxy)) {
  set_down_handler([this](const caf::down_msg& down) {
    // A proxy that ends normally has answered all requests that it had, so this one was not done.
    if (is_orderly(down.reason)) writes_ = false;
    fail(cut_short());
  });
}

proxy_question_handle::behavior_type proxy_question::make_behavior() {
  compat::end_on_exceptions(this);
  monitor(proxy_);
  return {
      [this](const ask_proxy& m) { return ask(m); }, [this](outcome_batch& m) { answered(m); },
      [](const read_index_answer&) {}, // this actor never asks for a read index
  };
}

caf::error proxy_question::cut_short() const {
  return make_error({writes_ ? errc::outcome_unknown : errc::stopping, "the node stopped before the answer", {}, {}});
}

void proxy_question::on_end() {
  if (promise_.pending()) promise_.deliver(cut_short());
  promise_ = {};
  proxy_ = nullptr;
}

caf::result<proxy_answer> proxy_question::ask(const ask_proxy& what) {
  promise_ = make_response_promise<proxy_answer>();
  writes_ = what.change || what.how == access::write;
  const auto ms = static_cast<std::uint32_t>(
      std::clamp<std::chrono::milliseconds::rep>(what.timeout.count(), 1, std::numeric_limits<std::uint32_t>::max()));
  command_batch batch;
  if (what.change)
    batch.changes.push_back({1, ms, *what.change});
  else
    batch.commands.push_back({1, what.how, ms, what.payload});
  send(proxy_, std::move(batch));
  return promise_;
}

void proxy_question::answered(outcome_batch& answers) {
  if (answers.outcomes.empty()) return;
  auto& outcome = answers.outcomes.front();
  if (outcome.code != errc::none)
    return fail(make_error({outcome.code, std::move(outcome.payload),
                            answers.leader ? to_string(answers.leader) : std::string{}, answers.leader_address}));
  promise_.deliver(proxy_answer{outcome.index, std::move(outcome.payload)});
  quit();
}

void proxy_question::fail(const caf::error& why) {
  promise_.deliver(why);
  quit();
}

} // namespace troupe
