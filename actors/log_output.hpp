// Where the library's own logger writes. It never blocks: lines wait, up to 1 MiB of them, for a thread that writes
// them to stderr, and are dropped and counted when whoever reads the log does not keep up. At the end of the process
// what waits is written, unless that makes no progress for half a second.
#pragma once

#include <cstdint>
#include <string_view>

namespace troupe {

/// Lines that were dropped since the start of the process.
std::uint64_t dropped_log_lines();

/// Writes a line to stderr in the same way, whatever the log's level and form: for a program's last words.
void write_to_stderr(std::string_view line);

} // namespace troupe
