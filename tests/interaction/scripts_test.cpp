// Runs every script in this folder and compares its trace with the golden one that the script contains.
// TROUPE_REWRITE=1 rewrites the scripts with the new traces: read the diff before you keep it.
// TROUPE_SCRIPT=NAME.txt runs only that script.
#include "tests/interaction/cluster.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>

namespace troupe::interaction {
namespace {

std::vector<std::string> lines_of(const std::filesystem::path& file) {
  std::ifstream in{file};
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

/// The script with its actual trace: comments and commands are unchanged, and each command is followed by its trace.
std::vector<std::string> replay(const std::vector<std::string>& script) {
  cluster nodes;
  std::vector<std::string> golden;
  for (const auto& line : script) {
    if (line.rfind("  ", 0) == 0) continue;
    golden.push_back(line);
    if (line.rfind("> ", 0) != 0) continue;
    std::istringstream said{nodes.run(line.substr(2))};
    for (std::string what; std::getline(said, what);) golden.push_back("  " + what);
  }
  return golden;
}

/// The first difference between the two, with the lines around it.
std::string difference(const std::vector<std::string>& expected, const std::vector<std::string>& got) {
  const auto [e, g] = std::mismatch(expected.begin(), expected.end(), got.begin(), got.end());
  std::string text = "line " + std::to_string(e - expected.begin() + 1) + ":\n";
  for (auto before = e - std::min<std::ptrdiff_t>(e - expected.begin(), 5); before != e; ++before)
    text += "   " + *before + '\n';
  for (auto i = e; i != expected.end() && i < e + 8; ++i) text += " - " + *i + '\n';
  for (auto i = g; i != got.end() && i < g + 8; ++i) text += " + " + *i + '\n';
  return text;
}

} // namespace

TEST_CASE("every script produces its golden trace") {
  std::vector<std::filesystem::path> scripts;
  for (const auto& file : std::filesystem::directory_iterator{TROUPE_SCRIPTS})
    if (file.path().extension() == ".txt" && file.path().filename() != "CMakeLists.txt") scripts.push_back(file.path());
  std::sort(scripts.begin(), scripts.end());
  REQUIRE(scripts.size() >= 15);
  if (const auto* only = std::getenv("TROUPE_SCRIPT")) {
    std::erase_if(scripts, [&](const auto& script) { return script.filename() != only; });
    REQUIRE(scripts.size() == 1);
  }
  for (const auto& script : scripts) {
    const auto expected = lines_of(script);
    const auto got = replay(expected);
    if (got == expected) continue;
    if (std::getenv("TROUPE_REWRITE")) {
      std::ofstream out{script};
      for (const auto& line : got) out << line << '\n';
      std::cout << "rewrote " << script.filename() << '\n';
    } else {
      FAIL_CHECK(script.filename().string() << ", " << difference(expected, got));
    }
  }
}

} // namespace troupe::interaction
