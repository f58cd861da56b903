// Which actors may answer a proxy, and which may send it commands. Some actors appear to belong to other nodes.
#include "services/restore_command.hpp"
#include "tests/actor/proxy_world.hpp"

#include <caf/forwarding_actor_proxy.hpp>

using namespace troupe;
using namespace troupe::test;

namespace {

/// Drops messages to actors of other nodes.
class no_network : public compat::untyped_base {
 public:
  explicit no_network(caf::actor_config& config) : compat::untyped_base(config) { drop_unexpected(); }
  caf::behavior make_behavior() override {
    return {[](const flush&) {}};
  }
};

/// An actor that appears to belong to another node.
caf::actor abroad(caf::actor_system& system, const caf::actor& network, unsigned process) {
  const auto node = caf::make_node_id(process, "0123456789abcdef0123456789abcdef01234567");
  caf::actor_config config;
  return caf::make_actor<caf::forwarding_actor_proxy, caf::actor>(7, *node, &system, config, network);
}

} // namespace

TEST_CASE("accepts an answer only from an actor of the node that was asked") {
  proxy_world w;
  const auto network = w.system.spawn<no_network>();
  const auto asked = abroad(w.system, network, 100);
  const auto stranger = abroad(w.system, network, 200);
  for (const auto& [id, there] : {std::pair{peer, asked}, std::pair{other_peer, stranger}}) {
    hello who;
    who.node = id;
    w.tell(link_up{who, caf::actor_cast<endpoint_handle>(there)});
  }
  w.follow(1, peer);
  w.ask(1);
  w.ask(2, access::linearizable_read);
  const auto answer_as = [&](const caf::actor& who, raft::tag_t number) {
    test::send_as(who, w.subject, outcome_batch{other_peer, {}, {{number, errc::none, 0, "done"}}});
    test::send_as(who, w.subject, read_index_answer{number, errc::none, 7});
    w.settle();
  };
  // Try every number that the proxy may have chosen for the requests.
  for (raft::tag_t number = 1; number < 20; ++number) {
    answer_as(stranger, number);
    w.tell(outcome_batch{other_peer, {}, {{number, errc::none, 0, "done"}}});
    w.tell(read_index_answer{number, errc::none, 7});
  }
  CHECK(w.answers(1) == 0);
  CHECK(w.queries->empty());
  for (raft::tag_t number = 1; number < 20; ++number) answer_as(asked, number);
  CHECK(w.code(1) == errc::none);
  CHECK(w.queries->size() == 1);
  caf::anon_send_exit(network, caf::exit_reason::user_shutdown);
  w.settle();
}

TEST_CASE("accepts requests about the cluster itself from other nodes only if a member's proxy sends them") {
  proxy_world w;
  const auto network = w.system.spawn<no_network>();
  const auto member = abroad(w.system, network, 100);
  const auto stranger = abroad(w.system, network, 200);
  const auto guest = abroad(w.system, network, 300); // linked, but not a member
  for (const auto& [id, there] : {std::pair{peer, member}, std::pair{other_peer, guest}}) {
    hello who;
    who.node = id;
    w.tell(link_up{who, caf::actor_cast<endpoint_handle>(there)});
  }
  w.tell(members_changed{{{peer, "n2:1"}}});
  w.lead();
  const auto gets_in = [&](const caf::actor& from, bool forwarded) {
    const command restore{1, access::write, 1000, raft::bytes{services::encode_restore({{1, 1}, 10, 1})}};
    const change_request transfer{2, 1000, raft::transfer_leadership{}};
    w.asked->answers.clear();
    const auto restores = w.log->proposals.size();
    const auto transfers = w.log->transfers.size();
    test::send_as(from, w.subject, command_batch{forwarded, {restore}, {transfer}});
    w.settle();
    const bool both = w.log->proposals.size() > restores && w.log->transfers.size() > transfers;
    CHECK(both == (w.log->proposals.size() > restores || w.log->transfers.size() > transfers));
    return both;
  };
  CHECK_FALSE(gets_in(stranger, false));
  CHECK_FALSE(gets_in(stranger, true));
  CHECK_FALSE(gets_in(guest, true));
  CHECK_FALSE(gets_in(member, false)); // a client of the same process
  CHECK(gets_in(member, true));
  CHECK(gets_in(caf::actor_cast<caf::actor>(w.origin), false));
  // Another proxy may only be early, and gets an answer after which it tries again.
  w.tell(members_changed{});
  CHECK_FALSE(gets_in(caf::actor_cast<caf::actor>(w.origin), true));
  CHECK(w.code(1) == errc::not_leader);
  CHECK(w.code(2) == errc::not_leader);
  caf::anon_send_exit(network, caf::exit_reason::user_shutdown);
  w.settle();
}
