// Where the library tells people what happens: one spdlog logger named "troupe".
#pragma once

#include <spdlog/logger.h>

namespace troupe {

/// Writes to stderr unless a logger named "troupe" was registered before the first call. Thread-safe. Nothing secret
/// and nothing unchecked from the network is to be logged.
spdlog::logger& log();

} // namespace troupe
