// The live trace: lines in the log about actors, steps of Raft and links, for debugging. It is off unless the
// environment variable TROUPE_TRACE turns it on. CONTRIBUTING.md, "Debugging", shows it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::trace {

/// What can be traced: bits of a mask.
enum area : std::uint8_t { actors = 1, raft = 2, links = 4, all = actors | raft | links };

/// Longer lines are cut.
inline constexpr std::size_t max_line = 600;

/// Internal: the areas that are on. Constant at the start of the process, so that it can be read at any time.
extern std::atomic<std::uint8_t> active;

/// Ask this before composing a line.
inline bool is_on(area what) noexcept { return (active.load(std::memory_order_relaxed) & what) != 0; }

struct selection {
  std::uint8_t areas = 0;
  std::vector<std::string> unknown;
};
/// "1" or "all" selects every area, "0" and "off" none. Otherwise `words` is a list of areas, separated by commas.
selection parse(std::string_view words);

/// Turns on the selected areas and no others. If there is one, the log shows all levels from then on. The log reports
/// unknown words. Thread-safe.
void turn_on(std::string_view words);
/// The first call does this with the value of TROUPE_TRACE, if it is set.
void turn_on_from_environment();

/// Logs a line with the level `trace`. It must not contain payloads, secrets or unchecked bytes from the network.
void write(area what, std::string_view line);

} // namespace troupe::trace
