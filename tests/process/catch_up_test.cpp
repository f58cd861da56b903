// Tests followers that return with less than they acknowledged, or so far behind that they need a snapshot while writes
// continue.
#include "tests/process/cluster.hpp"
#include "tests/process/maintenance.hpp"
#include "tests/process/steady_writer.hpp"

#include <catch2/catch.hpp>

#include <fstream>

using namespace troupe::testing;
using namespace std::chrono_literals;

namespace {

std::uint64_t number(const server& node, const char* field) { return node.status()[field].get<std::uint64_t>(); }

std::size_t count(const std::string& text, const std::string& what) {
  std::size_t found = 0;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++found;
  return found;
}

/// Alters a byte in the last batch of a log. The next start treats this batch as incomplete.
void spoil_tail(const std::filesystem::path& segment) {
  std::fstream file{segment, std::ios::in | std::ios::out | std::ios::binary};
  const std::string all{std::istreambuf_iterator<char>{file}, {}};
  const auto at = static_cast<std::streamoff>(all.find_last_not_of('\0') - 20);
  file.clear();
  file.seekp(at);
  file.put(static_cast<char>(all[static_cast<std::size_t>(at)] ^ 1));
}

/// The item of `list` whose `field` is `value`; null if there is none.
json find(const json& list, const char* field, const json& value) {
  for (const auto& one : list)
    if (one[field] == value) return one;
  return nullptr;
}

} // namespace

TEST_CASE("a leader brings a follower up to date that lost acknowledged entries, and reports the loss") {
  ready_cluster nodes{3};
  for (int i = 0; i < 5; ++i) nodes[0].put("k" + std::to_string(i), i);
  const auto leads = nodes.wait_ready();
  const auto term = number(nodes[leads], "term");
  const auto lost = (leads + 1) % 3;
  const auto last = number(nodes[leads], "last_index");
  wait_for("the follower to apply all entries", 10s, [&] { return number(nodes[lost], "applied_index") == last; });
  const auto id = nodes[lost].status()["id"];
  nodes[lost].process().kill();
  spoil_tail(nodes[lost].data_dir() / "log" / "0000000000000001.wal");
  nodes[lost].start();
  wait_for("the follower to catch up", 20s, [&] {
    return nodes[lost].ready() && number(nodes[lost], "last_index") == number(nodes[leads], "last_index");
  });
  CHECK_THAT(nodes[lost].log(), Catch::Contains("torn"));
  nodes[leads].put("more", 7);
  wait_for("the new write on the follower", 10s, [&] { return nodes[lost].get("more", "stale") == 7; });
  // The same leader still leads, and reports the loss.
  CHECK(number(nodes[leads], "term") == term);
  CHECK_THAT(nodes[leads].log(),
             Catch::Contains("node " + id.get<std::string>() + " lost entries that it had acknowledged"));
  CHECK(number(nodes[leads], "lost_acknowledged") == 1);
  const auto members = json::parse(nodes[leads].call("GET", "/v1/members").body)["members"];
  const auto loss = find(members, "id", id)["lost_acknowledged"];
  CHECK(loss["times"] == 1);
  CHECK(loss["acknowledged"] == last);
  CHECK(loss["found"].get<std::uint64_t>() < last);
}

TEST_CASE("a follower that needs a snapshot catches up with a single one while writes continue") {
  ready_cluster nodes{3, lifetime::test_case, [](std::size_t) {
                        return std::vector<std::string>{"--segment-size", "2MB", "--snapshot-log-size", "1MB",
                                                        "--log-tail",     "50",  "--snapshot-rate",     "300KB"};
                      }};
  const auto leads = nodes.wait_ready();
  const auto away = (leads + 1) % 3;
  const auto id = nodes[away].status()["id"];
  const auto seen = number(nodes[away], "last_index");
  nodes[away].process().kill();
  // Writes 4 MB of state, until the log no longer reaches back to the stopped node.
  auto connection = nodes[leads].connect();
  const auto value = json(std::string(20'000, 'x')).dump();
  for (int i = 0; i < 200 || number(nodes[leads], "log_start") <= seen; ++i) {
    REQUIRE(i < 2000);
    REQUIRE(connection.request("PUT", "/v1/maps/big/k" + std::to_string(i % 200), value).status == 200);
  }
  steady_writer writer{nodes, {4, 10ms, 8000, {leads}}};
  nodes[away].start();
  json transfer;
  wait_for("the transfer in the status", 20s, [&] {
    const auto found = find(nodes[leads].status()["transfers"], "peer", id);
    if (found.is_null() || found["sent"] == 0) return false;
    transfer = found;
    return true;
  });
  CHECK(transfer["phase"] == "sending");
  CHECK(transfer["total"].get<std::uint64_t>() > 3'000'000);
  // Two more snapshots of the leader would drop the log that follows the snapshot in transfer.
  for (int i = 0; i < 2; ++i) {
    const auto enough = number(nodes[leads], "last_index") + 60;
    wait_for("more writes", 60s, [&] { return number(nodes[leads], "last_index") >= enough; });
    CHECK(nodes[leads].call("POST", "/v1/snapshot").status == 200);
  }
  const auto meanwhile = nodes[leads].status();
  if (!find(meanwhile["transfers"], "peer", id).is_null()) CHECK(meanwhile["log_start"] <= transfer["index"]);
  wait_for("the follower keeping up", 90s, [&] {
    const auto committed = number(nodes[leads], "commit_index");
    return nodes[away].ready() && find(nodes[leads].status()["transfers"], "peer", id).is_null() &&
           number(nodes[away], "applied_index") >= committed;
  });
  CHECK(writer.stop().empty());
  // The leader no longer keeps log for it.
  CHECK(number(nodes[leads], "log_start") > transfer["index"].get<std::uint64_t>());
  CHECK(count(nodes[away].log(), "receiving the snapshot") == 1);
}
