// What a proxy refuses for the node it belongs to.
#include "services/command.hpp"
#include "tests/actor/proxy_world.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::test;

TEST_CASE("a command for a service that is not here does not get into the log") {
  proxy_world w;
  w.tell(core_up{w.dispatcher, {"map"}});
  w.lead();
  const auto of = [&](std::uint64_t number, const char* service) {
    auto c = w.make(number);
    c.payload = raft::bytes{services::encode_command(service, "put", "x")};
    return c;
  };
  w.post_command(of(1, "nap"));
  w.post_command(of(2, "map"));
  w.post_command(of(3, "nap"), true);
  w.settle();
  REQUIRE(w.log->proposals.size() == 1);
  CHECK(w.only_answer(1).outcome.code == errc::unknown_service);
  CHECK(w.only_answer(3).outcome.code == errc::unknown_service);
  w.accept(w.last_proposed(), 5);
  w.apply(5);
  CHECK(w.only_answer(2).outcome.code == errc::none);
}

TEST_CASE("when the disk has failed commands are refused at once, with the reason") {
  proxy_world w;
  w.ask(1);
  w.ask(2, access::linearizable_read);
  w.ask(3, access::stale_read);
  w.tell(core_down{errc::disk_failed, "write /x: Input/output error"});
  w.ask(4);
  for (const std::uint64_t number : {1u, 2u, 4u}) {
    CHECK(w.only_answer(number).outcome.code == errc::disk_failed);
    CHECK(w.only_answer(number).outcome.payload == "the disk of this node failed: write /x: Input/output error");
  }
  w.tell(core_up{w.dispatcher, {}});
  w.lead();
  w.ask(5);
  CHECK(w.log->proposals.size() == 1);
}
