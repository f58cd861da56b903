// troupe-log as a program: its options, output and exit codes. Its effects on directories are tested in
// tests/unit/offline.
#include "tests/process/cluster.hpp"

#include <catch2/catch.hpp>

#include <csignal>
#include <fstream>
#include <sstream>

using namespace troupe::testing;
using namespace std::chrono_literals;
using Catch::Contains;

namespace {

/// Runs troupe-log, with a terminal only if something is typed.
program_end tool(std::vector<std::string> arguments, const std::string& typed = {}) {
  const auto folder = make_folder();
  std::string line = TROUPE_LOG;
  for (const auto& a : arguments) line += " '" + a + "'";
  std::ofstream{folder / "typed"} << typed;
  if (!typed.empty()) line = "script -qec \"" + line + "\" /dev/null";
  line += " < " + (folder / "typed").string();
  const int code = run({"/bin/sh", "-c", line}, folder / "tool.log");
  return {code, read_text(folder / "tool.log")};
}

} // namespace

TEST_CASE("troupe-log prints its help and refuses wrong arguments") {
  const auto help = tool({"--help"});
  CHECK(help.code == 0);
  for (const auto* word : {"inspect", "verify", "dump", "repair", "snapshot", "recover", "Exit code"})
    CHECK_THAT(help.text, Contains(word));
  CHECK(tool({"--version"}).code == 0);
  const std::vector<std::pair<std::vector<std::string>, std::string>> wrong{
      {{}, "missing command"},
      {{"bogus"}, "bogus"},
      {{"snapshot"}, "snapshot verify FILE"},
      {{"snapshot", "inspect", "x"}, "snapshot verify FILE"},
      {{"inspect", "/tmp", "--entry", "-1"}, "-1 is not the index"}};
  for (const auto& [arguments, hint] : wrong) {
    const auto ended = tool(arguments);
    CHECK(ended.code == 2);
    CHECK_THAT(ended.text, Contains(hint) && !Contains("A subcommand is required"));
  }
  CHECK(tool({"inspect"}).code == 2);
  CHECK(tool({"inspect", "/nowhere"}).code == 2);
  CHECK_THAT(tool({"inspect", "/nowhere"}).text, Contains("/nowhere"));
  CHECK(tool({"improve", "/tmp"}).code == 2);
  const auto empty = make_folder();
  const auto nothing = tool({"verify", empty.string()});
  CHECK(nothing.code == 2);
  CHECK_THAT(nothing.text, Contains("troupe-log: ") && Contains(empty.string()));
  CHECK(tool({"snapshot", "verify", (empty / "none").string()}).code == 2);
  // A file that cannot be read is not reported as damage.
  CHECK(tool({"snapshot", "verify", empty.string()}).code == 2);
}

TEST_CASE("troupe-log reads a node's directory, asks before it changes it, and does not touch a running node") {
  ready_cluster nodes{1};
  for (int i = 0; i < 5; ++i) nodes[0].put("k" + std::to_string(i), i);
  REQUIRE(nodes[0].call("POST", "/v1/snapshot").status == 200);
  const auto dir = nodes[0].data_dir().string();
  const auto busy = tool({"verify", dir});
  CHECK(busy.code == 2);
  CHECK_THAT(busy.text, Contains("in use"));
  nodes[0].process().signal(SIGTERM);
  REQUIRE(nodes[0].process().wait(10s) == 0);

  CHECK(tool({"verify", dir}).code == 0);
  const auto seen = tool({"inspect", dir});
  CHECK(seen.code == 0);
  CHECK_THAT(seen.text, Contains("cluster") && Contains("segment") && Contains("snapshot"));
  const auto dump = tool({"dump", dir});
  CHECK(dump.code == 0);
  std::istringstream lines{dump.text};
  std::size_t puts = 0;
  for (std::string line; std::getline(lines, line);) puts += json::parse(line).dump().find("put") != std::string::npos;
  CHECK(puts == 5);
  CHECK(json::parse(tool({"inspect", dir, "--entry", "1"}).text).is_object());

  CHECK(dump.text.find("$bin") == std::string::npos);

  // Lost output is an error: a dump must be complete.
  for (const auto* what : {"dump", "inspect", "verify"}) {
    CAPTURE(what);
    const auto folder = make_folder();
    const auto line = std::string{TROUPE_LOG} + " " + what + " '" + dir + "' >/dev/full";
    CHECK(run({"/bin/sh", "-c", line}, folder / "tool.log") == 2);
    CHECK_THAT(read_text(folder / "tool.log"),
               Contains("troupe-log: cannot write the output: No space left on device"));
  }

  // The node is the only member, so there is nothing to recover.
  CHECK_THAT(tool({"recover", dir}).text, Contains("the only member") && Contains("start it"));
  // Without a typed yes, nothing is changed.
  const auto refused = tool({"recover", "--despite-majority", dir}, "y\n");
  CHECK(refused.code == 2);
  CHECK_THAT(refused.text, Contains("Type yes"));
  const auto unasked = tool({"recover", "--despite-majority", dir});
  CHECK(unasked.code == 2);
  CHECK_THAT(unasked.text, Contains("no terminal") && Contains("--yes"));
  CHECK(tool({"inspect", dir}).text == seen.text);
  CHECK(tool({"recover", "--despite-majority", dir}, "yes\n").code == 0);
  CHECK(tool({"inspect", dir}).text != seen.text);
  nodes[0].start();
  nodes.wait_ready();
  CHECK(nodes[0].get("k4") == 4);
}
