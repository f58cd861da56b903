// Asks the operator at the terminal.
#pragma once

#include <string>

namespace troupe::offline {

/// Asks on stderr and accepts only the whole word "yes" from stdin. If stdin is not a terminal, the operator cannot
/// have read the question: prints that and returns false.
bool ask_at_terminal(const std::string& question);

} // namespace troupe::offline
