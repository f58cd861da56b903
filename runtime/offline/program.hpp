// The frame of a program that works on files offline.
#pragma once

#include <functional>
#include <string>

namespace troupe::offline {

/// Runs `command`, the body of a program, and returns the process's exit code. Output shows no escape sequences; an
/// exception becomes a line on stderr that begins with the program's name.
int run_program(const std::string& name, const std::function<int()>& command);

/// Of a command whose output is all that it does: its exit code, once all of that is written.
int shown(int code);

} // namespace troupe::offline
