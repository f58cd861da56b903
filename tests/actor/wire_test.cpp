// The encoding of messages: the check before CAF reads them agrees with the decoder.
#include "tests/actor/wire_examples.hpp"

#include <catch2/catch.hpp>

#include <random>

namespace {

using namespace troupe;

/// Damages an encoded message in many ways, and compares the check with the decoder.
template <class Message> void check_alike(const Message& example, unsigned seed) {
  std::mt19937 random{seed};
  const auto pick = [&](std::size_t below) { return random() % below; };
  const auto bytes = wire::encode(example);
  REQUIRE(wire::is_encoded<Message>(bytes));
  int taken = 0;
  for (int round = 0; round < 3'000; ++round) {
    auto damaged = bytes;
    for (auto ways = 1 + pick(3); ways > 0 && !damaged.empty(); --ways) {
      const auto at = pick(damaged.size());
      switch (pick(4)) {
      case 0:
        damaged[at] = static_cast<char>(pick(256));
        break;
      case 1:
        damaged[at] = static_cast<char>(pick(3));
        break;
      case 2:
        damaged.erase(at, 1 + pick(4));
        break;
      default:
        damaged.insert(at, 1 + pick(4), '\0');
      }
    }
    const bool decodes = wire::decode<Message>(damaged).has_value();
    taken += decodes;
    if (wire::is_encoded<Message>(damaged) != decodes) FAIL("round " << round << ", seed " << seed);
  }
  CHECK(taken < 3'000);
}

} // namespace

TEST_CASE("is_encoded accepts bytes if and only if they decode") {
  const auto seed = GENERATE(1u, 2u, 3u);
  test::for_each_wire_example([&](const auto& example) { check_alike(example, seed); });
}

TEST_CASE("a change of the cluster arrives as it was sent, without its tag") {
  command_batch batch;
  batch.changes.push_back({1, 1000, raft::change_members{9, {{{{1}, "n1:1"}, false, {2}}}, {{3}, {4}}, 7}});
  batch.changes.push_back({2, 0, raft::transfer_leadership{9, {5}}});
  const auto arrived = wire::decode<command_batch>(wire::encode(batch));
  REQUIRE(arrived);
  REQUIRE(arrived->changes.size() == 2);
  CHECK(arrived->changes[0].number == 1);
  CHECK(arrived->changes[0].timeout_ms == 1000);
  const auto& members = std::get<raft::change_members>(arrived->changes[0].what);
  CHECK(members.tag == 0);
  CHECK(members.based_on == 7);
  CHECK(members.asked);
  CHECK(members.remove == std::vector<node_id>{{3}, {4}});
  REQUIRE(members.add.size() == 1);
  CHECK(members.add[0].who == raft::member{{1}, "n1:1"});
  CHECK_FALSE(members.add[0].votes);
  CHECK(members.add[0].replaces == node_id{2});
  const auto& transfer = std::get<raft::transfer_leadership>(arrived->changes[1].what);
  CHECK(transfer.tag == 0);
  CHECK(transfer.target == node_id{5});
}

TEST_CASE("all lists of a message together have a limited number of elements") {
  command_batch batch;
  for (std::uint64_t number = 1; number <= 3; ++number) {
    raft::change_members change;
    change.remove.resize(30'000, node_id{number});
    batch.changes.push_back({number, 0, change});
  }
  CHECK_FALSE(wire::is_encoded<command_batch>(wire::encode(batch)));
  CHECK_FALSE(wire::decode<command_batch>(wire::encode(batch)));
  batch.changes.pop_back();
  CHECK(wire::is_encoded<command_batch>(wire::encode(batch)));
  CHECK(wire::decode<command_batch>(wire::encode(batch)));
}

TEST_CASE("a change of an unknown kind does not decode") {
  command_batch batch;
  batch.changes.push_back({1, 0, raft::transfer_leadership{0, {5}}});
  auto bytes = wire::encode(batch);
  const auto kind = bytes.size() - sizeof(std::uint64_t) - 1;
  REQUIRE(bytes[kind] == 1);
  bytes[kind] = 2;
  CHECK_FALSE(wire::is_encoded<command_batch>(bytes));
  CHECK_FALSE(wire::decode<command_batch>(bytes));
}

TEST_CASE("a list whose announced elements are missing allocates nothing") {
  outcome_batch outcomes;
  auto bytes = wire::encode(outcomes);
  bytes.replace(bytes.size() - 4, 4, "\xff\xff\xff\xff");
  CHECK_FALSE(wire::is_encoded<outcome_batch>(bytes));
  bytes.replace(bytes.size() - 4, 4, std::string{"\0\0\1\0", 4}); // the maximum length of a list
  CHECK_FALSE(wire::is_encoded<outcome_batch>(bytes));
}
