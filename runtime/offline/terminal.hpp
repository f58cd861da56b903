// Questions to the operator at the terminal.
#pragma once

#include <string>

namespace troupe::offline {

/// Asks on stderr, and takes only the whole word "yes" from stdin. Without a terminal at stdin the operator cannot
/// have read the question: says so, and that it was not answered.
bool ask_at_terminal(const std::string& question);

} // namespace troupe::offline
