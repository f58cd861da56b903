// Output of the library's own logger. Logging never blocks: up to 1 MiB of lines are queued for a thread that writes
// them to stderr. If the reader of stderr is too slow, further lines are dropped and counted. At the end of the process
// the queue is written out, unless that makes no progress for half a second.
#pragma once

#include <cstdint>
#include <string_view>

namespace troupe {

/// Number of lines dropped since the start of the process.
std::uint64_t dropped_log_lines();

/// Writes a line to stderr through the same queue, without the log's level and format: for a program's final message.
void write_to_stderr(std::string_view line);

} // namespace troupe
