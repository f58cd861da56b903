// The line with which a process ends that cannot go on.
#pragma once

#include <cstddef>

namespace troupe {

/// What a pipe takes at once: a longer line is cut.
inline constexpr std::size_t longest_last_line = 4096;

/// Writes the line, which ends with a newline, to standard error. Allocates nothing on the heap, and gives up after a
/// moment where the reader of standard error does not read, or the disk hangs on which it lies: the process is to end,
/// and nothing but that may follow.
void write_last_line(const char* line, std::size_t size) noexcept;

} // namespace troupe
