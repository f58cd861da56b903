// Captures log lines for tests.
#pragma once

#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <sstream>
#include <string>
#include <troupe/log.hpp>
#include <vector>

namespace troupe::testing {

/// Collects the log lines of its lifetime, each as "level: text".
class captured_log {
 public:
  captured_log() {
    set_log_level(log_level::info);
    sink_->set_pattern("%l: %v");
    sinks().push_back(sink_);
  }
  ~captured_log() { std::erase(sinks(), sink_); }
  captured_log(const captured_log&) = delete;
  captured_log& operator=(const captured_log&) = delete;

  /// The lines since the last call that contain `what`.
  std::string take(const std::string& what = {}) {
    std::string found;
    std::istringstream all{lines_.str()};
    for (std::string line; std::getline(all, line);)
      if (line.find(what) != std::string::npos) found += line + "\n";
    lines_.str("");
    return found;
  }

 private:
  static std::vector<spdlog::sink_ptr>& sinks() { return spdlog::get("troupe")->sinks(); }

  std::ostringstream lines_;
  spdlog::sink_ptr sink_ = std::make_shared<spdlog::sinks::ostream_sink_mt>(lines_);
};

} // namespace troupe::testing
