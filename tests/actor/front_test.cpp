#include "actors/frontend/proxy.hpp"
#include "tests/actor/virtual_system.hpp"
#include "tests/unit/services/counter.hpp"

#include <catch2/catch.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <troupe/detail/front.hpp>
#include <troupe/detail/machine.hpp>
#include <troupe/service_actor.hpp>
#include <troupe/services/map.hpp>
#include <utility>
#include <vector>

using namespace troupe;
using namespace troupe::test;
using namespace std::chrono_literals;

namespace {

struct proxy_record {
  std::vector<command> commands;
  std::size_t batches = 0;
  caf::strong_actor_ptr origin;
};
class fake_proxy : public compat::untyped_base {
 public:
  fake_proxy(caf::actor_config& config, std::shared_ptr<proxy_record> record)
      : compat::untyped_base(config), record_(std::move(record)) {}
  caf::behavior make_behavior() override {
    return {[this](const command_batch& m) {
      ++record_->batches;
      record_->origin = current_sender();
      record_->commands.insert(record_->commands.end(), m.commands.begin(), m.commands.end());
    }};
  }

 private:
  std::shared_ptr<proxy_record> record_;
};

template <class S> struct world : virtual_system {
  world() {
    const auto plain = system.template spawn<fake_proxy>(record);
    subject = caf::actor_cast<proxy_handle>(plain);
    front = caf::actor_cast<service_actor<S>>(detail::spawn_front(system, S::name, &detail::make_front_handlers<S>,
                                                                  caf::actor_cast<caf::actor>(subject), 3s));
  }
  ~world() {
    record->origin = nullptr;
    caf::anon_send_exit(subject, caf::exit_reason::kill);
    settle();
  }

  /// Sends a request. The returned object gets its result or its error.
  template <class Result> struct reply {
    std::optional<Result> result;
    std::optional<error_info> error;
  };
  template <class Result, class M> std::shared_ptr<reply<Result>> ask(M message) {
    auto got = std::make_shared<reply<Result>>();
    system.template spawn<errand>([this, got, message](caf::event_based_actor* self) {
      self->request(front, caf::infinite, message)
          .then([got](const Result& r) { got->result = r; }, [got](const caf::error& e) { got->error = describe(e); });
    });
    return got;
  }
  void answer(std::size_t position, errc code, std::string payload) {
    outcome_batch batch{node_id{0xab}, "host:1", {{record->commands.at(position).number, code, 9, std::move(payload)}}};
    compat::anon_send(caf::actor_cast<caf::actor>(record->origin), std::move(batch));
    settle();
  }

  std::shared_ptr<proxy_record> record = std::make_shared<proxy_record>();
  proxy_handle subject;
  service_actor<S> front;
};

} // namespace

TEST_CASE("a typed message becomes a command, and its outcome a typed result") {
  world<counter> w;
  const auto got = w.ask<std::int64_t>(add{5});
  w.settle();
  REQUIRE(w.record->commands.size() == 1);
  const auto& sent = w.record->commands[0];
  CHECK(sent.how == access::write);
  CHECK(sent.timeout_ms == 3000);
  const auto machine = detail::make_machine(counter{});
  const auto envelope = services::decode_command(sent.payload.view());
  REQUIRE(envelope);
  CHECK(envelope->service == "counter");
  w.answer(0, errc::none, machine->apply(envelope->tag, envelope->payload, {1}).payload);
  CHECK(got->result == 5);
}

TEST_CASE("a burst of requests is one message to the proxy") {
  world<counter> w;
  std::vector<std::shared_ptr<world<counter>::reply<std::int64_t>>> got;
  for (int i = 0; i < 64; ++i) got.push_back(w.ask<std::int64_t>(add{i}));
  w.settle();
  CHECK(w.record->commands.size() == 64);
  CHECK(w.record->batches == 1);
  for (std::size_t i = 64; i-- > 0;) w.answer(i, errc::none, msgpack_serializer::encode(static_cast<std::int64_t>(i)));
  for (int i = 0; i < 64; ++i) CHECK(got[static_cast<std::size_t>(i)]->result == i);
}

TEST_CASE("queries are linearizable by default, and requests may set their own deadline") {
  world<counter> w;
  w.ask<std::int64_t>(total{});
  w.settle();
  w.ask<std::int64_t>(with<total>{{}, 70ms, true});
  w.settle();
  w.ask<std::int64_t>(with<add>{{1}, 80ms});
  w.settle();
  REQUIRE(w.record->commands.size() == 3);
  CHECK(w.record->commands[0].how == access::linearizable_read);
  CHECK(w.record->commands[0].timeout_ms == 3000);
  CHECK(w.record->commands[1].how == access::stale_read);
  CHECK(w.record->commands[1].timeout_ms == 70);
  CHECK(w.record->commands[2].how == access::write);
  CHECK(w.record->commands[2].timeout_ms == 80);
}

TEST_CASE("an error carries its code, its text and the leader") {
  world<map_service> w;
  const auto got = w.ask<map::put_result>(map::put{"m", "k", value::of(1)});
  w.settle();
  w.answer(0, errc::refused, "no such luck");
  REQUIRE(got->error);
  CHECK(got->error->code == errc::refused);
  CHECK(got->error->message == "no such luck");
  CHECK(got->error->leader_id == raft::to_string(node_id{0xab}));
  CHECK(got->error->leader_address == "host:1");
}

TEST_CASE("a result that cannot be decoded leaves the outcome of a command unknown") {
  world<map_service> w;
  const auto put = w.ask<map::put_result>(map::put{"m", "k", value::of(1)});
  w.settle();
  const auto get = w.ask<map::get_result>(map::get{"m", "k"});
  w.settle();
  w.answer(0, errc::none, "nonsense");
  w.answer(1, errc::none, "nonsense");
  REQUIRE(put->error);
  CHECK(put->error->code == errc::outcome_unknown);
  REQUIRE(get->error);
  CHECK(get->error->code == errc::undecodable);
}

TEST_CASE("if the proxy ends normally, a write without an answer is rejected") {
  world<counter> w;
  const auto write = w.ask<std::int64_t>(add{5});
  w.settle();
  caf::anon_send_exit(w.subject, caf::exit_reason::user_shutdown);
  w.settle();
  REQUIRE(write->error);
  CHECK(write->error->code == errc::stopping);
}

TEST_CASE("a drained front sends its pending requests, rejects later ones, and delivers the answers") {
  world<counter> w;
  const auto early = w.ask<std::int64_t>(add{5});
  bool drained = false;
  w.system.spawn<errand>([&](caf::event_based_actor* self) {
    self->request(caf::actor_cast<drainable_front>(w.front), caf::infinite, drain_front{})
        .then([&](const front_drained&) { drained = true; });
  });
  w.settle();
  CHECK(drained);
  REQUIRE(w.record->commands.size() == 1);
  const auto late = w.ask<std::int64_t>(add{6});
  w.settle();
  REQUIRE(late->error);
  CHECK(late->error->code == errc::stopping);
  CHECK(w.record->commands.size() == 1);
  w.answer(0, errc::none, msgpack_serializer::encode(std::int64_t{5}));
  CHECK(early->result == 5);
}

TEST_CASE("every request is answered when the proxy or the front ends") {
  world<counter> w;
  const auto write = w.ask<std::int64_t>(add{5});
  const auto read = w.ask<std::int64_t>(total{});
  w.settle();
  SECTION("the proxy") {
    caf::anon_send_exit(w.subject, caf::exit_reason::kill);
    w.settle();
    const auto late = w.ask<std::int64_t>(add{6});
    w.settle();
    REQUIRE(late->error);
    CHECK(late->error->code == errc::stopping);
  }
  SECTION("the front") {
    caf::anon_send_exit(w.front, caf::exit_reason::user_shutdown);
    w.settle();
  }
  REQUIRE(write->error);
  CHECK(write->error->code == errc::outcome_unknown);
  REQUIRE(read->error);
  CHECK(read->error->code == errc::stopping);
}
