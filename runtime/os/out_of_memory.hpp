// What a program does when it runs out of memory.
#pragma once

namespace troupe {

/// From now on a failed allocation ends this process at once, with one line on stderr and exit code 1. That is like a
/// crash, so the process never continues with a part missing. Call this first in `main`. It sets C++'s new-handler for
/// the whole process. That is the program's decision: the library never does it by itself. Without it, an actor that
/// runs out of memory ends with an error, and its node, or the node's core, ends with it.
void end_process_without_memory(const char* program);

} // namespace troupe
