// The numbers of message types under CAF 1.x.
#include "actors/type_table.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <troupe/detail/message_types.hpp>
#include <vector>

using troupe::compat::type_table;
using names = std::vector<std::string>;

namespace {

struct one {};
struct other {};

} // namespace

TEST_CASE("two types with the same number are found, and both are named") {
  type_table table;
  CHECK(table.add(7, "one", typeid(one)) == type_table::added::yes);
  CHECK(table.add(8, "other", typeid(other)) == type_table::added::yes);
  CHECK(table.add(7, "one", typeid(one)) == type_table::added::known);
  CHECK_FALSE(table.problem());
  CHECK(table.add(7, "other", typeid(other)) == type_table::added::collides);
  CHECK(table.problem() == "the message types one and other have the same type id of CAF, 7: rename one of them");
  table.collides(9, "caf::down_msg", "third");
  CHECK(table.problem()->find("third") == std::string::npos); // the first problem stays
}

TEST_CASE("two types of the same name are told apart") {
  type_table table;
  CHECK(table.add(7, "{anonymous}::message", typeid(one)) == type_table::added::yes);
  CHECK(table.add(7, "{anonymous}::message", typeid(other)) == type_table::added::collides);
}

TEST_CASE("the messages that cross the network keep their numbers: new ones come at the end") {
#define TROUPE_NAME(type) #type,
  const names wire{TROUPE_WIRE_TYPES(TROUPE_NAME)};
#undef TROUPE_NAME
  const names known{"compat::own_error_code",
                    "raft::vote_request",
                    "raft::vote_response",
                    "raft::append_request",
                    "raft::append_response",
                    "raft::snapshot_request",
                    "raft::snapshot_response",
                    "raft::timeout_now",
                    "raft::removed_notice",
                    "raft::removed_answer",
                    "raft::probe",
                    "raft::probe_ack",
                    "raft::probe_request",
                    "hello",
                    "client_hello",
                    "client_welcome",
                    "raft::propose_formation",
                    "raft::formation_answer",
                    "raft::abort_formation",
                    "command_batch",
                    "outcome_batch",
                    "read_index_request",
                    "read_index_answer",
                    "stage_chunk",
                    "chunk_staged"};
  REQUIRE(wire.size() >= known.size());
  CHECK(names(wire.begin(), wire.begin() + static_cast<std::ptrdiff_t>(known.size())) == known);
}
