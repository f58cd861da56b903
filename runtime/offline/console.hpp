// The output and the operator of a command.
#pragma once

#include <exception>
#include <functional>
#include <ostream>
#include <string>

namespace troupe::offline {

/// The exit codes of the tools.
inline constexpr int all_good = 0;
inline constexpr int damage_found = 1;
inline constexpr int bad_usage = 2;

/// The exit code for a command that threw `error`: `damage_found` only if the error reports damage.
int exit_code_of(const std::exception& error);

struct console {
  std::ostream& out; ///< the result
  std::ostream& err; ///< everything else
  /// Asks the operator a question; returns true if the answer is yes.
  std::function<bool(const std::string&)> ask;
};

} // namespace troupe::offline
