#include "tests/actor/proxy_world.hpp"

using namespace troupe;
using namespace troupe::test;

TEST_CASE("a write on the leader is committed when its own entry is applied") {
  proxy_world w;
  w.lead();
  w.ask(7);
  REQUIRE(w.log->proposals.size() == 1);
  CHECK(w.log->proposals[0].data.view() == "c7");
  w.accept(w.last_proposed(), 5);
  w.apply(4);
  CHECK(w.answers(7) == 0);
  w.apply(5, 1, errc::none, "result");
  const auto& got = w.only_answer(7);
  CHECK(got.outcome.code == errc::none);
  CHECK(got.outcome.index == 5);
  CHECK(got.outcome.payload == "result");
  CHECK(got.leader == me);
  CHECK(got.leader_address == "me:1");
}

TEST_CASE("a service's refusal is forwarded") {
  proxy_world w;
  w.lead();
  w.ask(1);
  w.accept(w.last_proposed(), 5);
  w.apply(5, 1, errc::refused, "no");
  CHECK(w.code(1) == errc::refused);
  CHECK(w.only_answer(1).outcome.payload == "no");
}

TEST_CASE("a burst of commands is one batch to the log, and its outcomes are one batch") {
  proxy_world w;
  w.lead();
  for (std::uint64_t n = 1; n <= 64; ++n) w.post_command(w.make(n));
  w.settle();
  CHECK(w.log->batches == 1);
  REQUIRE(w.log->proposals.size() == 64);
  proposals_settled accepted;
  applied_batch applied;
  for (std::uint64_t n = 0; n < 64; ++n) {
    accepted.accepted.push_back({w.log->proposals[n].tag, n + 1, 1});
    applied.items.push_back({n + 1, 1, errc::none, {}});
  }
  w.tell(accepted);
  w.tell(applied);
  CHECK(w.asked->batches == 1);
  CHECK(w.asked->answers.size() == 64);
}

TEST_CASE("each sender gets the outcomes of its own commands, in one batch") {
  proxy_world w;
  w.lead();
  for (std::uint64_t n = 1; n <= 4; ++n)
    test::send_as(n % 2 ? w.origin : w.second_asker, w.subject, command_batch{false, {w.make(n)}});
  w.settle();
  applied_batch applied;
  for (std::uint64_t n = 1; n <= 4; ++n) {
    w.accept(w.log->proposals[n - 1].tag, n);
    applied.items.push_back({n, 1, errc::none, {}});
  }
  w.tell(applied);
  CHECK(w.asked->batches == 1);
  CHECK(w.second_asked->batches == 1);
  CHECK(w.asked->answers.count(1) + w.asked->answers.count(3) == 2);
  CHECK(w.second_asked->answers.count(2) + w.second_asked->answers.count(4) == 2);
}

TEST_CASE("retries a write whose index got an entry of another term, and answers it once") {
  proxy_world w;
  w.lead(1);
  w.ask(1);
  const auto first = w.last_proposed();
  w.accept(first, 5, 1);
  w.follow(2, peer);
  const auto remote = w.link(peer);
  w.apply(5, 2);
  CHECK(w.answers(1) == 0);
  REQUIRE(remote->batches.size() == 1);
  CHECK(remote->batches[0].forwarded);
  const auto second = remote->batches[0].commands.at(0).number;
  CHECK(second != first);
  w.apply(6, 2); // the first attempt no longer counts
  w.outcome(second, errc::none, peer, "done there");
  CHECK(w.code(1) == errc::none);
  w.outcome(second, errc::none, peer);
  w.advance(2s);
  CHECK(w.answers(1) == 1);
}

TEST_CASE("a skipped index leaves the outcome unknown") {
  proxy_world w;
  w.lead();
  w.ask(1);
  w.accept(w.last_proposed(), 5);
  w.apply(9);
  CHECK(w.code(1) == errc::outcome_unknown);
}

TEST_CASE("the outcome is unknown if the index was applied before the proposal was accepted") {
  proxy_world w;
  w.lead();
  w.apply(9);
  w.ask(1);
  w.accept(w.last_proposed(), 9);
  CHECK(w.code(1) == errc::outcome_unknown);
}

TEST_CASE("the log decides the outcome of an accepted write after its leader stepped down") {
  proxy_world w;
  w.lead(1);
  w.ask(1);
  w.accept(w.last_proposed(), 5, 1);
  w.follow(2, peer);
  w.apply(5, 1, errc::none, "kept");
  CHECK(w.code(1) == errc::none);
}

TEST_CASE("a write that is accepted but never applied is unknown at the deadline") {
  proxy_world w;
  w.lead();
  const auto asked_at = w.now();
  w.ask(1, access::write, 500);
  w.accept(w.last_proposed(), 5);
  w.advance(480ms);
  CHECK(w.answers(1) == 0);
  w.advance(20ms);
  CHECK(w.code(1) == errc::outcome_unknown);
  CHECK(w.only_answer(1).when <= asked_at + 500ms);
}

TEST_CASE("a proposal without an answer is unknown at the deadline") {
  proxy_world w;
  w.lead();
  w.ask(1, access::write, 100);
  w.advance(100ms);
  CHECK(w.code(1) == errc::outcome_unknown);
}

TEST_CASE("a command that still waits at the deadline is rejected with the reason") {
  SECTION("there is no leader") {
    proxy_world w;
    w.ask(1, access::write, 100);
    w.advance(100ms);
    CHECK(w.code(1) == errc::no_leader);
  }
  SECTION("there is no cluster") {
    proxy_world w;
    w.tell(replica_down{});
    w.ask(1, access::write, 100);
    w.advance(100ms);
    CHECK(w.code(1) == errc::not_ready);
  }
  SECTION("the leader is known but cannot be reached") {
    proxy_world w;
    w.follow(1, peer);
    w.ask(1, access::write, 100);
    w.advance(100ms);
    CHECK(w.code(1) == errc::deadline);
    CHECK(w.only_answer(1).leader == peer);
  }
}

TEST_CASE("waiting commands are sent as soon as there is a leader") {
  proxy_world w;
  w.ask(1);
  CHECK(w.log->batches == 0);
  SECTION("this node") {
    w.lead();
    CHECK(w.log->batches == 1);
  }
  SECTION("a peer, with the remaining time") {
    w.follow(1, peer);
    const auto remote = w.link(peer);
    REQUIRE(remote->batches.size() == 1);
    const auto left = remote->batches[0].commands.at(0).timeout_ms;
    CHECK(left <= 1000);
    CHECK(left >= 850);
  }
}

TEST_CASE("a refused proposal is retried, after a pause if the leader has not changed") {
  proxy_world w;
  w.lead();
  w.ask(1);
  const auto first = w.last_proposed();
  w.fail(first, raft::reject_reason::not_leader);
  CHECK(w.log->batches == 1);
  w.advance(20ms);
  REQUIRE(w.log->batches == 2);
  CHECK(w.last_proposed() != first);
  w.accept(first, 3); // late answers to the first attempt are ignored
  w.apply(3);
  CHECK(w.answers(1) == 0);
  w.accept(w.last_proposed(), 4);
  w.apply(4);
  CHECK(w.code(1) == errc::none);
}

TEST_CASE("a refused proposal goes to the new leader at once") {
  proxy_world w;
  const auto remote = w.link(peer);
  w.lead(1);
  w.ask(1);
  w.follow(2, peer);
  w.fail(w.last_proposed(), raft::reject_reason::not_leader, peer);
  CHECK(remote->batches.size() == 1);
}

TEST_CASE("an overloaded leader's refusal is forwarded") {
  proxy_world w;
  w.lead();
  w.ask(1);
  w.fail(w.last_proposed(), raft::reject_reason::overloaded);
  CHECK(w.code(1) == errc::overloaded);
}

TEST_CASE("when the replica fails, its commands are unknown, and waiting ones keep waiting") {
  proxy_world w;
  w.lead();
  w.ask(1);
  w.accept(w.last_proposed(), 5);
  w.ask(2);
  w.ask(3, access::linearizable_read);
  w.ask(4, access::stale_read);
  REQUIRE(w.queries->size() == 1);
  w.tell(replica_down{});
  CHECK(w.code(1) == errc::outcome_unknown);
  CHECK(w.code(2) == errc::outcome_unknown);
  w.ask(5);
  CHECK(w.answers(3) + w.answers(4) + w.answers(5) == 0);
  w.tell(replica_up{w.dispatcher, {}});
  CHECK(w.queries->size() == 2); // the stale read is retried
  w.lead(2);
  CHECK(w.log->reads.size() == 2); // so is the linearizable one
  CHECK(w.log->proposals.back().data.view() == "c5");
  w.apply(5, 1); // applied again from the log, but not answered again
  CHECK(w.answers(1) == 1);
}

TEST_CASE("when a link breaks, writes sent over it are unknown, and reads are retried") {
  proxy_world w;
  const auto remote = w.link(peer);
  w.follow(1, peer);
  w.ask(1);
  w.ask(2, access::linearizable_read);
  REQUIRE(remote->batches.size() == 1);
  REQUIRE(remote->index_requests.size() == 1);
  w.tell(link_down{peer});
  CHECK(w.code(1) == errc::outcome_unknown);
  CHECK(w.answers(2) == 0);
  const auto again = w.link(peer);
  CHECK(again->index_requests.size() == 1);
  CHECK(again->batches.empty());
}

TEST_CASE("a link that is replaced without a link_down counts as broken") {
  proxy_world w;
  w.link(peer);
  w.follow(1, peer);
  w.ask(1);
  w.link(peer);
  CHECK(w.code(1) == errc::outcome_unknown);
}

TEST_CASE("outcomes of a forwarded write") {
  proxy_world w;
  const auto remote = w.link(peer);
  w.follow(1, peer);
  w.ask(1);
  REQUIRE(remote->batches.size() == 1);
  const auto tag = remote->batches[0].commands.at(0).number;
  SECTION("rejected: retried until the deadline") {
    w.outcome(tag, errc::not_leader);
    CHECK(w.answers(1) == 0);
    w.advance(20ms);
    CHECK(remote->batches.size() == 2);
    w.advance(1s);
    CHECK(w.code(1) == errc::outcome_unknown); // the second attempt was never answered
  }
  SECTION("rejected with another leader: retried there at once") {
    const auto better = w.link(other_peer);
    w.outcome(tag, errc::not_leader, other_peer);
    CHECK(better->batches.size() == 1);
    SECTION("but not in a loop if two nodes name each other") {
      w.outcome(better->batches[0].commands.at(0).number, errc::not_leader, peer);
      CHECK(remote->batches.size() == 1);
      w.advance(20ms);
      CHECK(remote->batches.size() == 2);
    }
  }
  SECTION("unknown stays unknown") {
    w.outcome(tag, errc::outcome_unknown);
    CHECK(w.code(1) == errc::outcome_unknown);
  }
  SECTION("no answer is unknown") {
    w.advance(1s);
    CHECK(w.code(1) == errc::outcome_unknown);
  }
  SECTION("the service's refusal is forwarded") {
    w.outcome(tag, errc::refused, peer, "no");
    CHECK(w.code(1) == errc::refused);
  }
}

TEST_CASE("a node that does not lead refuses commands from another proxy") {
  proxy_world w;
  w.link(peer);
  w.follow(1, peer);
  w.ask_as_proxy(1);
  CHECK(w.code(1) == errc::not_leader);
  CHECK(w.only_answer(1).leader == peer);
  CHECK(w.only_answer(1).leader_address == "node2:1");
}

TEST_CASE("commands from another proxy are never retried here") {
  proxy_world w;
  w.lead();
  w.ask_as_proxy(1);
  SECTION("refused by the role") {
    w.fail(w.last_proposed(), raft::reject_reason::not_leader);
    CHECK(w.code(1) == errc::not_leader);
  }
  SECTION("displaced in the log") {
    w.accept(w.last_proposed(), 5, 1);
    w.apply(5, 2);
    CHECK(w.code(1) == errc::not_leader);
  }
  SECTION("leadership is lost before it is proposed") {
    w.post_command(w.make(2), true);
    w.post(role_changed{9, raft::role_kind::follower, 2, w.role, 0, {}});
    w.settle();
    CHECK(w.code(2) == errc::not_leader);
  }
  w.advance(50ms);
  CHECK(w.log->proposals.size() == 1);
}

TEST_CASE("linearizable reads share one read index") {
  proxy_world w;
  w.lead();
  for (std::uint64_t n = 1; n <= 8; ++n) w.post_command(w.make(n, access::linearizable_read));
  w.settle();
  REQUIRE(w.log->reads.size() == 1);
  w.tell(reads_settled{{{w.log->reads[0], 42}}, {}});
  REQUIRE(w.queries->size() == 1);
  CHECK(w.queries->front().at == 42);
  REQUIRE(w.queries->front().queries.size() == 8);
  queried_batch read;
  for (const auto& q : w.queries->front().queries) read.outcomes.push_back({q.number, errc::none, 42, "value"});
  w.tell(read);
  CHECK(w.asked->batches == 1);
  CHECK(w.code(8) == errc::none);
  CHECK(w.only_answer(8).outcome.index == 42);
}

TEST_CASE("a follower asks the leader for a read index and reads locally") {
  proxy_world w;
  const auto remote = w.link(peer);
  w.follow(1, peer);
  w.ask(1, access::linearizable_read);
  REQUIRE(remote->index_requests.size() == 1);
  const auto number = remote->index_requests[0];
  SECTION("confirmed, even if the leader changes in the meantime") {
    w.follow(2, other_peer);
    w.answer_from_peer(read_index_answer{number, errc::none, 7});
    REQUIRE(w.queries->size() == 1);
    CHECK(w.queries->front().at == 7);
  }
  SECTION("refused: retried after a pause") {
    w.answer_from_peer(read_index_answer{number, errc::not_leader, 0});
    CHECK(remote->index_requests.size() == 1);
    w.advance(20ms);
    CHECK(remote->index_requests.size() == 2);
  }
  SECTION("never answered: rejected") {
    w.advance(1s);
    CHECK(w.code(1) == errc::deadline);
    w.answer_from_peer(read_index_answer{number, errc::none, 7});
    CHECK(w.queries->empty());
  }
}

TEST_CASE("the leader's proxy answers read index requests of other proxies") {
  proxy_world w;
  SECTION("confirmed, together with its own reads") {
    w.lead();
    test::send_as(w.second_asker, w.subject, read_index_request{77});
    w.post_command(w.make(1, access::linearizable_read));
    w.settle();
    REQUIRE(w.log->reads.size() == 1);
    w.tell(reads_settled{{{w.log->reads[0], 42}}, {}});
    REQUIRE(w.second_asked->indexes.size() == 1);
    CHECK(w.second_asked->indexes[0].number == 77);
    CHECK(w.second_asked->indexes[0].code == errc::none);
    CHECK(w.second_asked->indexes[0].index == 42);
    CHECK(w.queries->size() == 1);
  }
  SECTION("leadership is lost before it is confirmed") {
    w.lead();
    test::send_as(w.second_asker, w.subject, read_index_request{77});
    w.settle();
    w.tell(reads_settled{{}, {{w.log->reads.at(0), raft::reject_reason::leadership_lost, {}}}});
    REQUIRE(w.second_asked->indexes.size() == 1);
    CHECK(w.second_asked->indexes[0].code == errc::not_leader);
  }
  SECTION("not leading") {
    w.follow(1, peer);
    test::send_as(w.second_asker, w.subject, read_index_request{77});
    w.settle();
    REQUIRE(w.second_asked->indexes.size() == 1);
    CHECK(w.second_asked->indexes[0].code == errc::not_leader);
  }
}

TEST_CASE("a stale read needs no leader") {
  proxy_world w;
  w.ask(1, access::stale_read);
  REQUIRE(w.queries->size() == 1);
  CHECK(w.queries->front().at == 0);
  w.tell(queried_batch{{{w.queries->front().queries.at(0).number, errc::none, 0, "old"}}});
  CHECK(w.code(1) == errc::none);
}

TEST_CASE("admission is bounded") {
  proxy_options small;
  small.max_pending = 3;
  small.max_pending_bytes = 100;
  small.max_command_bytes = 60;
  proxy_world w{me, small};
  SECTION("in number") {
    for (std::uint64_t n = 1; n <= 4; ++n) w.ask(n);
    CHECK(w.answers(3) == 0);
    CHECK(w.code(4) == errc::overloaded);
  }
  SECTION("in bytes, which are released with the answer") {
    auto big = w.make(1, access::write, 100);
    big.payload = raft::bytes{std::string(60, 'x')};
    w.post_command(big);
    big.number = 2;
    w.post_command(big);
    w.settle();
    CHECK(w.code(2) == errc::overloaded);
    w.advance(100ms);
    CHECK(w.code(1) == errc::no_leader);
    big.number = 3;
    w.post_command(big);
    w.settle();
    CHECK(w.answers(3) == 0);
  }
  SECTION("for a single command") {
    auto big = w.make(1);
    big.payload = raft::bytes{std::string(61, 'x')};
    w.post_command(big);
    w.settle();
    CHECK(w.code(1) == errc::too_large);
  }
}

TEST_CASE("the retiring role gets `drained`") {
  proxy_world w;
  w.lead(1);
  const auto retired = std::make_shared<role_record>();
  const auto old = spawn_fake<role_handle, fake_role>(w.system, retired);
  w.tell(role_changed{12, raft::role_kind::follower, 2, w.role, 11, old});
  CHECK(retired->drained == std::vector<epoch_t>{11});
}

TEST_CASE("large batches are split into several messages") {
  proxy_options cut;
  cut.max_message_bytes = 100;
  proxy_world w{me, cut};
  const auto remote = w.link(peer);
  for (std::uint64_t n = 1; n <= 5; ++n) {
    auto c = w.make(n);
    c.payload = raft::bytes{std::string(40, 'x')};
    w.post_command(c);
  }
  w.settle();
  w.follow(1, peer);
  REQUIRE(remote->batches.size() == 3);
  CHECK(remote->batches[0].commands.size() == 2);
  outcome_batch done;
  for (const auto& batch : remote->batches)
    for (const auto& c : batch.commands) done.outcomes.push_back({c.number, errc::none, 1, std::string(70, 'y')});
  w.answer_from_peer(done);
  CHECK(w.asked->batches == 5);
}

TEST_CASE("a result that is too large for the network is not forwarded") {
  proxy_options narrow;
  narrow.max_result_bytes = 100;
  proxy_world w{me, narrow};
  w.lead();
  w.ask(1);
  w.accept(w.last_proposed(), 5);
  w.apply(5, 1, errc::none, std::string(101, 'y'));
  CHECK(w.code(1) == errc::outcome_unknown);
  w.ask(2);
  w.accept(w.last_proposed(), 6);
  w.apply(6, 1, errc::refused, std::string(101, 'y'));
  CHECK(w.code(2) == errc::too_large);
  CHECK(w.only_answer(2).outcome.payload == "the result is too large");
}

TEST_CASE("draining rejects new commands and ends when every pending one is answered") {
  proxy_world w;
  w.lead();
  w.ask(1);
  bool ended = false;
  w.system.spawn<errand>([&](caf::event_based_actor* self) {
    self->request(w.subject, caf::infinite, drain_proxy{}).then([&](const proxy_drained&) { ended = true; });
  });
  w.settle();
  CHECK_FALSE(ended);
  w.ask(2);
  CHECK(w.code(2) == errc::stopping);
  w.accept(w.last_proposed(), 5);
  w.apply(5);
  CHECK(w.code(1) == errc::none);
  CHECK(ended);
}

TEST_CASE("an idle proxy has no timer") {
  proxy_world w;
  w.lead();
  w.ask(1);
  w.accept(w.last_proposed(), 5);
  w.apply(5);
  w.advance(30ms);
  CHECK_FALSE(w.has_timers());
}

TEST_CASE("a client follows leader hints and avoids nodes that cannot serve it") {
  proxy_world w{node_id{}};
  const auto first = w.link(peer);
  const auto second = w.link(other_peer);
  w.ask(1);
  w.ask(2, access::linearizable_read);
  w.ask(3, access::stale_read);
  REQUIRE(first->batches.size() == 3);
  CHECK_FALSE(first->batches[0].forwarded);
  CHECK(first->batches[1].commands.at(0).how == access::linearizable_read);
  SECTION("the leader in an answer gets the next command") {
    w.outcome(first->batches[0].commands.at(0).number, errc::none, other_peer);
    CHECK(w.code(1) == errc::none);
    w.ask(4);
    CHECK(second->batches.size() == 1);
  }
  SECTION("a stopping node is avoided at once") {
    w.outcome(first->batches[0].commands.at(0).number, errc::stopping);
    CHECK(second->batches.size() == 1);
    CHECK(w.answers(1) == 0);
  }
  SECTION("a broken link: writes are unknown, reads go to another node") {
    w.tell(link_down{peer});
    CHECK(w.code(1) == errc::outcome_unknown);
    // The other node may not have noticed yet that the first one is lost.
    CHECK(second->batches.empty());
    w.advance(220ms);
    REQUIRE(second->batches.size() == 1);
    CHECK(second->batches[0].commands.size() == 2);
  }
  SECTION("there is no link") {
    w.tell(link_down{peer});
    w.tell(link_down{other_peer});
    w.ask(9);
    w.advance(1s);
    CHECK(w.code(9) == errc::no_leader);
  }
}
