// The main function of a program that works on files offline.
#pragma once

#include <functional>
#include <string>

namespace troupe::offline {

/// Runs `command`, the body of a program, and returns the process's exit code. Removes escape sequences from the
/// output. Prints an exception as a line on stderr that begins with the program's name.
int run_program(const std::string& name, const std::function<int()>& command);

/// Returns the exit code of a command that only prints, after making sure that all output was written.
int shown(int code);

} // namespace troupe::offline
