// What a fuzz target defines. Each is built as two programs: TARGET_fuzzer, with libFuzzer and clang (tools/fuzz), and
// fuzz_TARGET, which replays a corpus and a bounded number of mutations of it with any compiler (replay.cpp).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace troupe::fuzz {

/// Passes the bytes to the code under test. Calls `found`, which ends the process, if that violates a property.
void try_input(std::string_view bytes);

/// Seed inputs that are generated instead of kept as files.
std::vector<std::string> seeds();

/// Words of the format, which mutations insert.
std::vector<std::string> words();

/// The input violates a property of the code under test.
[[noreturn]] void found(std::string_view property);

inline void check(bool holds, std::string_view property) {
  if (!holds) found(property);
}

} // namespace troupe::fuzz
