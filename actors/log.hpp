// The log of the process, written by spdlog (log.cpp). This header does not include spdlog: otherwise every file that
// logs would compile the formatting code of spdlog's headers.
#pragma once

#include <fmt/core.h>

#include <string_view>

namespace troupe {

enum class log_level { trace, debug, info, warn, error, critical, off };

/// Discards lines below this level. The default is `info`. Thread-safe.
void set_log_level(log_level lowest);
/// Parses a level: "trace", "debug", "info", "warning" or "warn", "error" or "err", "critical", "off". Throws
/// std::invalid_argument for any other text.
log_level log_level_of(std::string_view name);

/// Writes log lines. Arguments are formatted only if the line's level is not discarded.
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

/// The logger. It writes to stderr unless a spdlog logger named "troupe" was registered before the first call.
/// Thread-safe. Do not log secrets, or unchecked data from the network.
inline logger log() { return {}; }

} // namespace troupe
