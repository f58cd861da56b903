// The error of a request to a proxy that ended before it answered.
#include "runtime/proxy_question.hpp"
#include "tests/actor/virtual_system.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::test;
using namespace std::chrono_literals;

namespace {

/// Never answers.
class silent : public compat::untyped_base {
 public:
  explicit silent(caf::actor_config& config) : compat::untyped_base(config) {}
  caf::behavior make_behavior() override {
    return {[](const command_batch&) {}};
  }
};

/// The error that the origin gets when the proxy, or the question itself, ends.
errc told(troupe::access how, bool ends_proxy, caf::exit_reason why = caf::exit_reason::user_shutdown) {
  virtual_system w;
  const caf::actor proxy = w.system.spawn<silent>();
  const auto question = w.system.spawn<proxy_question>(caf::actor_cast<proxy_handle>(proxy));
  errc code = errc::none;
  w.system.spawn<errand>([&code, question, how](caf::event_based_actor* self) {
    self->request(question, caf::infinite, ask_proxy{how, raft::bytes{std::string{"x"}}, 1000ms})
        .then([](const proxy_answer&) {}, [&code](const caf::error& e) { code = describe(e).code; });
  });
  w.settle();
  caf::anon_send_exit(ends_proxy ? proxy : caf::actor_cast<caf::actor>(question), why);
  caf::anon_send_exit(proxy, caf::exit_reason::user_shutdown);
  w.settle();
  return code;
}

} // namespace

TEST_CASE("if the proxy fails or the question ends, the outcome of a write is unknown, and a read is rejected") {
  for (const bool ends_proxy : {true, false}) {
    CHECK(told(troupe::access::write, ends_proxy, caf::exit_reason::kill) == errc::outcome_unknown);
    CHECK(told(troupe::access::linearizable_read, ends_proxy, caf::exit_reason::kill) == errc::stopping);
  }
}

TEST_CASE("if the proxy ends normally, a write without an answer is rejected") {
  CHECK(told(troupe::access::write, true) == errc::stopping);
}
