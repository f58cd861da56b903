// Where the library tells people what happens: one log for the process, written by spdlog (log.cpp). This header leaves
// spdlog out, for the formatting that spdlog's headers bring would be compiled into every file that logs.
#pragma once

#include <fmt/core.h>

#include <string_view>

namespace troupe {

enum class log_level { trace, debug, info, warn, error, critical, off };

/// Lines below this level are left out; at first, those below `info`. Thread-safe.
void set_log_level(log_level lowest);
/// The level of a name ("trace", "debug", "info", "warning" or "warn", "error" or "err", "critical", "off"). Throws
/// std::invalid_argument for another one.
log_level log_level_of(std::string_view name);

/// Writes lines of one level each. Arguments are formatted only if the level is not left out.
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

/// Writes to stderr unless a spdlog logger named "troupe" was registered before the first call. Thread-safe. Nothing
/// secret and nothing unchecked from the network is to be logged.
inline logger log() { return {}; }

} // namespace troupe
