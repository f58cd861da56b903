// Requests that a proxy refuses because of its node's state.
#include "services/command.hpp"
#include "tests/actor/proxy_world.hpp"

#include <catch2/catch.hpp>
#include <set>
#include <string>

using namespace troupe;
using namespace troupe::test;

TEST_CASE("a command for an unknown service does not get into the log") {
  proxy_world w;
  w.tell(replica_up{w.dispatcher, {"map"}});
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

TEST_CASE("a removed node rejects commands at once and names the last leader, until it is a member again") {
  proxy_world w;
  const node_id leader{2};
  w.link(leader);
  w.tell(members_changed{{{me, "me:1"}, {leader, "two:1"}}});
  w.follow(1, leader);
  w.tell(leader_known{1, {}}); // the leader is silent, since this node is no longer a member
  w.ask(1);
  w.ask(2, access::linearizable_read);
  CHECK(w.answers(1) == 0);
  w.tell(removal_known{true});
  w.ask(3);
  for (const std::uint64_t number : {1u, 2u, 3u}) {
    const auto& got = w.only_answer(number);
    CHECK(got.outcome.code == errc::not_ready);
    CHECK(got.outcome.payload == "this node was removed from its cluster");
    CHECK(got.leader == leader);
    CHECK(got.leader_address == "node2:1");
  }
  w.ask(4, access::stale_read);
  CHECK(w.queries->size() == 1);
  w.tell(removal_known{false});
  w.lead(2);
  w.ask(5);
  CHECK(w.log->proposals.size() == 1);
}

TEST_CASE("a proxy answers every command before it ends") {
  proxy_world w;
  w.lead();
  w.ask(1);
  w.accept(w.last_proposed(), 5);
  w.tell(role_changed{++w.epoch, raft::role_kind::follower, 2, w.role, 0, {}});
  w.ask(2);
  w.ask(3, access::linearizable_read);
  caf::anon_send_exit(w.subject, caf::exit_reason::user_shutdown);
  w.settle();
  CHECK(w.code(1) == errc::outcome_unknown);
  CHECK(w.code(2) == errc::stopping);
  CHECK(w.code(3) == errc::stopping);
}

TEST_CASE("different reasons have different texts") {
  proxy_world w;
  w.lead();
  std::set<std::string> texts;
  std::uint64_t number = 0;
  for (const auto why :
       {raft::reject_reason::overloaded, raft::reject_reason::disk_full, raft::reject_reason::change_in_progress,
        raft::reject_reason::leader_too_new, raft::reject_reason::stale_configuration,
        raft::reject_reason::unknown_member, raft::reject_reason::not_a_voter, raft::reject_reason::invalid_change,
        raft::reject_reason::nothing_to_change, raft::reject_reason::no_voter_left,
        raft::reject_reason::no_majority_left, raft::reject_reason::no_successor,
        raft::reject_reason::transfer_failed}) {
    w.ask(++number);
    w.fail(w.last_proposed(), why);
    texts.insert(w.only_answer(number).outcome.payload);
  }
  CHECK(texts.size() == number);
}

TEST_CASE("after a disk failure commands are refused at once with the reason") {
  proxy_world w;
  w.ask(1);
  w.ask(2, access::linearizable_read);
  w.ask(3, access::stale_read);
  w.tell(replica_down{errc::disk_failed, "write /x: Input/output error"});
  w.ask(4);
  for (const std::uint64_t number : {1u, 2u, 4u}) {
    CHECK(w.only_answer(number).outcome.code == errc::disk_failed);
    CHECK(w.only_answer(number).outcome.payload == "the disk of this node failed: write /x: Input/output error");
  }
  w.tell(replica_up{w.dispatcher, {}});
  w.lead();
  w.ask(5);
  CHECK(w.log->proposals.size() == 1);
}

namespace {

/// A leader's proxy with a quota of 1000 bytes. The service has one command that only removes.
struct quota_world : proxy_world {
  explicit quota_world(std::size_t max_pending_bytes = proxy_options{}.max_pending_bytes)
      : proxy_world(me, with_quota(max_pending_bytes)) {
    replica_up up{dispatcher, {"map"}};
    up.non_growing["map"] = {"remove"};
    tell(up);
    lead();
  }
  static proxy_options with_quota(std::size_t max_pending_bytes) {
    proxy_options options;
    options.max_pending_bytes = max_pending_bytes;
    options.max_state_bytes = 1000;
    return options;
  }
  void ask_map(std::uint64_t number, const char* tag, std::size_t size, troupe::access how = troupe::access::write) {
    auto c = make(number, how);
    c.payload = raft::bytes{services::encode_command("map", tag, std::string(size, 'x'))};
    post_command(c);
    settle();
  }
  /// Answers, for the service, the newest query whether a command would add to the state.
  void weigh(std::string_view answer) {
    tell(queried_batch{{{queries->back().queries.back().number, errc::none, 0, std::string{answer}}}});
  }
};

} // namespace

TEST_CASE("a state at its quota refuses commands that may add to it, until it shrinks") {
  quota_world w;
  w.tell(state_size{950});
  w.ask_map(1, "put", 40);
  REQUIRE(w.log->proposals.size() == 1);
  w.ask_map(2, "put", 40); // commands that are not applied yet count
  w.weigh(services::would_add);
  CHECK(w.code(2) == errc::state_full);
  CHECK_THAT(w.only_answer(2).outcome.payload, Catch::Contains("its quota is 1000"));
  CHECK(retryable(errc::state_full));
  CHECK(outcome_of(errc::state_full) == outcome::rejected);
  w.accept(w.last_proposed(), 5);
  w.ask_map(3, "put", 40);
  w.weigh(services::would_add);
  CHECK(w.code(3) == errc::state_full);
  w.tell(state_size{1100});
  w.apply(5);
  CHECK(w.code(1) == errc::none);
  w.ask_map(4, "put", 1);
  w.weigh(services::would_add);
  CHECK(w.code(4) == errc::state_full);

  // Removals and reads continue.
  w.ask_map(5, "remove", 40);
  REQUIRE(w.log->proposals.size() == 2);
  w.ask_map(6, "get", 10, troupe::access::linearizable_read);
  CHECK(w.log->reads.size() == 1);
  w.accept(w.last_proposed(), 6);
  w.tell(state_size{600});
  w.apply(6);
  CHECK(w.code(5) == errc::none);
  w.ask_map(7, "put", 40);
  CHECK(w.log->proposals.size() == 3);
}

TEST_CASE("beyond the quota a command is proposed if its service says that it does not add") {
  quota_world w;
  w.tell(state_size{1100});
  w.ask_map(1, "put", 40);
  CHECK(w.log->proposals.empty());
  REQUIRE(w.queries->size() == 1);
  const auto asked = services::decode_command(w.queries->back().queries.back().payload.view());
  REQUIRE(asked);
  CHECK(asked->service == "map");
  CHECK(asked->tag == services::adds_query);
  CHECK(asked->payload == services::encode_command("map", "put", std::string(40, 'x')));
  w.weigh(services::would_not_add);
  REQUIRE(w.log->proposals.size() == 1);
  w.accept(w.last_proposed(), 5);
  w.apply(5);
  CHECK(w.code(1) == errc::none);

  // The query is not answered before the deadline: the command is in no log.
  w.ask_map(2, "put", 40);
  w.advance(2s);
  CHECK(w.code(2) == errc::deadline);
  CHECK(outcome_of(errc::deadline) == outcome::rejected);

  // After a restart of the replica the service is asked again.
  w.ask_map(3, "put", 40);
  w.tell(replica_down{});
  replica_up up{w.dispatcher, {"map"}};
  w.tell(up);
  w.lead(2);
  REQUIRE(w.queries->size() == 4);
  w.weigh(services::would_not_add);
  CHECK(w.log->proposals.size() == 2);
}

TEST_CASE("a command is rejected with the reason if the service cannot say whether it adds") {
  quota_world w;
  w.tell(state_size{1100});
  w.ask_map(1, "put", 40);
  w.tell(queried_batch{{{w.queries->back().queries.back().number, errc::refused, 0, "the map has a bug"}}});
  CHECK(w.code(1) == errc::state_full);
  CHECK_THAT(w.only_answer(1).outcome.payload, Catch::Contains("its quota is 1000"));
  CHECK_THAT(w.only_answer(1).outcome.payload, Catch::Contains("the map has a bug"));
}

TEST_CASE("a command counts its bytes twice while its service is asked whether it adds") {
  const auto size = services::encode_command("map", "put", std::string(400, 'x')).size();
  quota_world w{3 * size};
  w.tell(state_size{1100});
  w.ask_map(1, "put", 400);
  w.ask_map(2, "put", 400);
  CHECK(w.queries->size() == 1);
  CHECK(w.code(2) == errc::overloaded);
  w.weigh(services::would_not_add);
  CHECK(w.log->proposals.size() == 1);
  w.ask_map(3, "put", 400);
  CHECK(w.queries->size() == 2);
  w.advance(2s);
  CHECK(w.code(3) == errc::deadline);
  w.ask_map(4, "put", 400);
  CHECK(w.queries->size() == 3);
}

TEST_CASE("failed proposals do not count for the quota") {
  quota_world w;
  w.tell(state_size{900});
  for (std::uint64_t number = 1; number <= 5; ++number) {
    w.ask_map(number, "put", 60);
    REQUIRE(w.log->proposals.size() == number);
    w.fail(w.last_proposed(), raft::reject_reason::overloaded);
    CHECK(w.code(number) == errc::overloaded);
  }
  w.ask_map(6, "put", 60);
  w.accept(w.last_proposed(), 7);
  w.tell(replica_down{});
  CHECK(w.code(6) == errc::outcome_unknown);
  replica_up up{w.dispatcher, {"map"}};
  w.tell(up);
  w.lead(2);
  w.ask_map(8, "put", 60);
  CHECK(w.log->proposals.size() == 7);
}
