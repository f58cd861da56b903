// The end of an actor: what it says last arrives before its monitors learn that it has ended.
#include "tests/actor/virtual_system.hpp"

#include <catch2/catch.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

using namespace troupe;
using namespace troupe::test;

namespace {

struct flush_seen {
  std::vector<std::string> what;
};

/// Notes messages and the end of the actor that it monitors.
class listener : public compat::untyped_base {
 public:
  listener(caf::actor_config& config, std::shared_ptr<flush_seen> seen)
      : compat::untyped_base(config), seen_(std::move(seen)) {
    set_down_handler([this](const caf::down_msg&) { seen_->what.emplace_back("down"); });
  }
  caf::behavior make_behavior() override {
    return {[this](const caf::actor& of) { monitor(of); }, [this](const flush&) { seen_->what.emplace_back("flush"); }};
  }

 private:
  std::shared_ptr<flush_seen> seen_;
};

class speaker : public compat::untyped_base {
 public:
  speaker(caf::actor_config& config, caf::actor to, std::shared_ptr<int> ends)
      : compat::untyped_base(config), to_(std::move(to)), ends_(std::move(ends)) {
    compat::end_on_exceptions(this);
  }
  caf::behavior make_behavior() override {
    return {
        [this](const drain_front&) {
          quit();
          CHECK(*ends_ == 0); // the handler runs to its end first
        },
        [](const flush&) { throw std::runtime_error{"an accident"}; },
    };
  }
  void on_end() override {
    ++*ends_;
    if (to_) send(to_, flush{});
    to_ = nullptr;
  }

 private:
  caf::actor to_;
  std::shared_ptr<int> ends_;
};

} // namespace

TEST_CASE("the last messages of an actor arrive before the news of its end, however it ends") {
  virtual_system w;
  const auto seen = std::make_shared<flush_seen>();
  const auto ends = std::make_shared<int>(0);
  auto observer = w.system.spawn<listener>(seen);
  auto subject = w.system.spawn<speaker>(observer, ends);
  compat::anon_send(observer, subject);
  w.settle();
  SECTION("by itself") { compat::anon_send(subject, drain_front{}); }
  SECTION("asked to") { caf::anon_send_exit(subject, caf::exit_reason::user_shutdown); }
  SECTION("killed") { caf::anon_send_exit(subject, caf::exit_reason::kill); }
  SECTION("with an exception") { compat::anon_send(subject, flush{}); }
  w.settle();
  CHECK(seen->what == std::vector<std::string>{"flush", "down"});
  CHECK(*ends == 1);
  caf::anon_send_exit(observer, caf::exit_reason::user_shutdown);
  w.settle();
}
