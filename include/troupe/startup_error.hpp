// Why a node or a client could not be started.
#pragma once

#include <stdexcept>

namespace troupe {

/// The data directory is in use or damaged, the port is taken, or an option is wrong. `what()` is human-readable.
class startup_error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

} // namespace troupe
