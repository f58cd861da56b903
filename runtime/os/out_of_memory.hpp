// What a program does when it runs out of memory.
#pragma once

namespace troupe {

/// From now on an allocation that fails ends this process at once, with one line on stderr and exit code 1: as a crash
/// would, so that nothing goes on without a part of itself. Call it first thing in `main`. It sets C++'s new-handler
/// for the whole process, and so it is up to the program: the library never does it by itself. Without it an actor that
/// runs out of memory ends with an error, and its node, or its core, with it.
void end_process_without_memory(const char* program);

} // namespace troupe
