// The log of the library: one for the process, written by spdlog. This header does not include spdlog, whose headers
// would compile formatting code into every file that logs.
#pragma once

#include <cstdint>
#include <fmt/core.h>
#include <string_view>

namespace troupe {

enum class log_level { trace, debug, info, warn, error, critical, off };

/// Omits lines below this level; initially those below `info`. Thread-safe.
void set_log_level(log_level lowest);
/// Returns the level of a name ("trace", "debug", "info", "warning" or "warn", "error" or "err", "critical", "off").
/// Throws std::invalid_argument for any other text.
log_level log_level_of(std::string_view name);

/// Writes lines. Arguments are formatted only if the level is not omitted.
class logger {
 public:
  template <class... Args>
  void log(log_level level, fmt::format_string<const Args&...> format, const Args&... args) const {
    write(level, format, fmt::make_format_args(args...));
  }
  template <class... Args> void trace(fmt::format_string<const Args&...> format, const Args&... args) const {
    write(log_level::trace, format, fmt::make_format_args(args...));
  }
  template <class... Args> void debug(fmt::format_string<const Args&...> format, const Args&... args) const {
    write(log_level::debug, format, fmt::make_format_args(args...));
  }
  template <class... Args> void info(fmt::format_string<const Args&...> format, const Args&... args) const {
    write(log_level::info, format, fmt::make_format_args(args...));
  }
  template <class... Args> void warn(fmt::format_string<const Args&...> format, const Args&... args) const {
    write(log_level::warn, format, fmt::make_format_args(args...));
  }
  template <class... Args> void error(fmt::format_string<const Args&...> format, const Args&... args) const {
    write(log_level::error, format, fmt::make_format_args(args...));
  }
  template <class... Args> void critical(fmt::format_string<const Args&...> format, const Args&... args) const {
    write(log_level::critical, format, fmt::make_format_args(args...));
  }

 private:
  static void write(log_level level, fmt::string_view format, fmt::format_args args);
};

/// The log writes to standard error, unless a spdlog logger named "troupe" was registered before the first call. By
/// default it never blocks: up to 1 MiB of lines wait for a thread that writes them, and further lines are dropped and
/// counted. When the process ends, the waiting lines are written, unless that makes no progress for half a second.
/// Thread-safe. Do not log secrets, nor unchecked bytes from the network.
inline logger log() { return {}; }

/// The number of lines that were dropped since the start of the process. Thread-safe.
std::uint64_t dropped_log_lines();

/// Writes a line to standard error in the same way, whatever the level and format of the log: for the last line of a
/// program. Thread-safe.
void write_to_stderr(std::string_view line);

} // namespace troupe
