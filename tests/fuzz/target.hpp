// What a fuzz target defines. Two programs are made of each: TARGET_fuzzer, with libFuzzer and clang (tools/fuzz), and
// fuzz_TARGET, which replays a corpus and a bounded number of mutations of it with any compiler (replay.cpp).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace troupe::fuzz {

/// Gives the bytes to the code under test. Returns if they did no harm; ends the process by `found` otherwise.
void try_input(std::string_view bytes);

/// Inputs to begin with that are made here instead of being kept as files.
std::vector<std::string> seeds();

/// What mutations insert: the words of the format.
std::vector<std::string> words();

/// The input violates a property of the code under test.
[[noreturn]] void found(std::string_view property);

inline void check(bool holds, std::string_view property) {
  if (!holds) found(property);
}

} // namespace troupe::fuzz
