#include "actors/log.hpp"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

namespace troupe {

spdlog::logger& log() {
  static const std::shared_ptr<spdlog::logger> logger = [] {
    auto known = spdlog::get("troupe");
    return known ? known : spdlog::stderr_color_mt("troupe");
  }();
  return *logger;
}

} // namespace troupe
