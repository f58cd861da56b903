// The last line that a process writes when it cannot continue.
#pragma once

#include <cstddef>

namespace troupe {

/// The size that a pipe takes at once, in bytes. A longer line is cut.
inline constexpr std::size_t longest_last_line = 4096;

/// Writes the line, which must end with a newline, to standard error. Does not allocate from the heap. Gives up after a
/// moment if the reader of standard error does not read, or if the disk under it hangs. The process must end right
/// afterwards.
void write_last_line(const char* line, std::size_t size) noexcept;

} // namespace troupe
