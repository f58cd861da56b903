// What a command of the tool talks to.
#pragma once

#include <exception>
#include <functional>
#include <ostream>
#include <string>

namespace troupe::offline {

/// The tool's exit codes.
inline constexpr int all_good = 0;
inline constexpr int damage_found = 1;
inline constexpr int bad_usage = 2;

/// Of a command that ended so: only what is known to be damaged is damage.
int exit_code_of(const std::exception& error);

struct console {
  std::ostream& out; ///< the result
  std::ostream& err; ///< everything else
  /// Whether the operator says yes to this question.
  std::function<bool(const std::string&)> ask;
};

} // namespace troupe::offline
