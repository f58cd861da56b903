// Checks with binutils that the linked program has the effects of the hardening flags (cmake/TroupeHardening.cmake).
#include "tests/process/cluster.hpp"

#include <catch2/catch.hpp>

#include <regex>
#include <sstream>

using namespace troupe::testing;
using Catch::Contains;

namespace {

/// The output of a tool of binutils for the webserver.
std::string said(std::vector<std::string> command) {
  const auto folder = make_folder();
  command.insert(command.begin(), {"/usr/bin/env", "LC_ALL=C"});
  command.emplace_back(TROUPE_WEBSERVER);
  const int code = run(command, folder / "said");
  auto text = read_text(folder / "said");
  CAPTURE(command, text);
  REQUIRE(code == 0);
  return text;
}

std::vector<std::string> lines_with(const std::string& text, const std::string& pattern) {
  const std::regex wanted{pattern};
  std::vector<std::string> found;
  std::istringstream in{text};
  for (std::string line; std::getline(in, line);)
    if (std::regex_search(line, wanted)) found.push_back(line);
  return found;
}

bool has_line(const std::string& text, const std::string& pattern) { return !lines_with(text, pattern).empty(); }

bool is_hardened() {
  const std::string why_not = TROUPE_UNHARDENED;
  if (why_not.empty()) return true;
  WARN("skipped: this build is not hardened: " << why_not);
  return false;
}

} // namespace

TEST_CASE("the webserver is position-independent, with read-only relocations and a non-executable stack") {
  if (!is_hardened()) return;
  CHECK(has_line(said({"readelf", "-hW"}), R"(^\s*Type:\s+DYN\b)"));
  const auto dynamic = said({"readelf", "-dW"});
  CHECK(has_line(dynamic, R"(\(FLAGS_1\).*\bPIE\b)"));
  CHECK(has_line(dynamic, R"(\(FLAGS\).*\bBIND_NOW\b|\(FLAGS_1\).*\bNOW\b)"));
  CHECK_FALSE(has_line(dynamic, R"(\(TEXTREL\))"));
  const auto segments = said({"readelf", "-lW"});
  CHECK(has_line(segments, R"(^\s*GNU_RELRO\s)"));
  const auto stack = lines_with(segments, R"(^\s*GNU_STACK\s)");
  REQUIRE(stack.size() == 1);
  CHECK_THAT(stack[0], Contains(" RW ") && !Contains("RWE"));
  for (const auto& load : lines_with(segments, R"(^\s*LOAD\s)")) CHECK_THAT(load, !Contains("RWE"));
}

TEST_CASE("the webserver has stack protection, libc buffer checks and control-flow protection") {
  if (!is_hardened()) return;
  const auto imported = said({"readelf", "--dyn-syms", "-W"});
  CHECK(has_line(imported, R"(\bUND __stack_chk_fail\b)"));
  // _GLIBCXX_ASSERTIONS calls this function if a check of the standard library fails.
  CHECK(has_line(imported, R"(\bUND _ZSt21__glibcxx_assert_fail)"));
  if (TROUPE_FORTIFIED != 0)
    CHECK(has_line(imported, R"(\bUND __\w+_chk@)"));
  else
    WARN("skipped: libc's buffer checks (FORTIFY) are off without optimization");
  if (TROUPE_HAS_CET == 0) {
    WARN("skipped: no control-flow protection for this processor");
    return;
  }
  const auto mains = lines_with(said({"readelf", "-sW"}), R"(\bFUNC\s+GLOBAL\s+DEFAULT\s+\d+\s+main$)");
  REQUIRE(mains.size() == 1);
  std::smatch found;
  REQUIRE(std::regex_search(mains[0], found, std::regex{R"(:\s*([0-9a-f]+)\s)"}));
  const auto begin = std::stoull(found[1].str(), nullptr, 16);
  const auto code = said({"objdump", "-d", "--no-show-raw-insn", "--start-address=" + std::to_string(begin),
                          "--stop-address=" + std::to_string(begin + 4)});
  CHECK_THAT(code, Contains("endbr64"));
}
