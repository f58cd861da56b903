// The message types of the program, which announce themselves before main starts. For CAF 1.x alone.
#pragma once

namespace troupe::compat {

/// Throws std::logic_error if two message types have the same number, and names both. Thread-safe.
void check_types();

} // namespace troupe::compat
