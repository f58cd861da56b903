// Fuzzes configurations, as in log entries and snapshots, and promises to a formation: bytes of the disk and of other
// nodes.
#include "raft/entry.hpp"
#include "raft/membership/formation.hpp"
#include "tests/fuzz/target.hpp"

using namespace troupe;

void troupe::fuzz::try_input(std::string_view bytes) {
  if (const auto members = raft::decode_configuration(bytes)) {
    check(raft::encode(*members) == bytes, "a configuration is encoded differently");
    for (const auto& one : members->members()) check(members->is_member(one.id), "is_member does not know a member");
  }
  if (const auto promise = raft::decode_promise(bytes))
    check(raft::decode_promise(raft::encode(*promise)) == promise,
          "the encoding of a promise decodes as a different one");
}

std::vector<std::string> troupe::fuzz::seeds() {
  raft::configuration plain{{{{1}, "127.0.0.1:5001"}, {{2}, "127.0.0.1:5002"}}, {}, {}};
  auto joint = plain;
  joint.outgoing = {{{1}, "127.0.0.1:5001"}, {{3}, "[::1]:5003"}};
  auto promoting = plain;
  promoting.learners = {{{4}, "host:5004"}};
  promoting.promotions = {{{4}, {2}}};
  auto dismissing = promoting;
  dismissing.promotions.front().asked = dismissing.promotions.front().standby = true;
  dismissing.dismissed = {{{9}}, {{10}}};
  return {raft::encode(plain),
          raft::encode(joint),
          raft::encode(promoting),
          raft::encode(dismissing),
          raft::encode(raft::propose_formation{{7}, {1}, plain.voters, 0}),
          raft::encode(raft::propose_formation{{7}, {1}, plain.voters, 5})};
}

std::vector<std::string> troupe::fuzz::words() {
  return {std::string("\1\0\0\0", 4), std::string("\0\0\0\0", 4), std::string("\1\0\0\0\0\0\0\0", 8),
          "\xff\xff\xff\xff", std::string("\5\0\0\0host:", 9)};
}
