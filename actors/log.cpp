#include <troupe/log.hpp>

#include "actors/log_writer.hpp"

#include <spdlog/details/null_mutex.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>

namespace troupe {
namespace {

constexpr std::chrono::milliseconds exit_flush_timeout{500};

/// Created once and never destroyed: its thread may hang in a write until the process ends.
log_writer& stderr_writer() {
  static auto& writer = *[] {
    auto* made = new log_writer(STDERR_FILENO);
    static_cast<void>(std::atexit([] { stderr_writer().flush(exit_flush_timeout); }));
    return made;
  }();
  return writer;
}

/// Formats a line in the calling thread and passes it to the writer. Uses colours if stderr is a terminal.
class writer_sink : public spdlog::sinks::base_sink<std::mutex> {
 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t text;
    message.color_range_start = 0;
    message.color_range_end = 0;
    formatter_->format(message, text);
    const std::string_view line(text.data(), text.size());
    const auto from = message.color_range_start;
    const auto to = message.color_range_end;
    if (!coloured_ || to <= from || to > line.size()) return stderr_writer().write(line);
    std::string out(line.substr(0, from));
    out.append(colour_of(message.level)).append(line.substr(from, to - from)).append("\033[m").append(line.substr(to));
    stderr_writer().write(out);
  }
  void flush_() override {}

 private:
  static std::string_view colour_of(spdlog::level::level_enum level) {
    static constexpr std::array<std::string_view, 7> colours{
        "\033[37m", "\033[36m", "\033[32m", "\033[33m\033[1m", "\033[31m\033[1m", "\033[1m\033[41m", "\033[m"};
    return colours[std::min<std::size_t>(static_cast<std::size_t>(level), colours.size() - 1)];
  }

  const bool coloured_ = ::isatty(STDERR_FILENO) == 1;
};

spdlog::level::level_enum spdlog_level(log_level level) { return static_cast<spdlog::level::level_enum>(level); }
static_assert(static_cast<int>(log_level::trace) == static_cast<int>(spdlog::level::trace));
static_assert(static_cast<int>(log_level::warn) == static_cast<int>(spdlog::level::warn));
static_assert(static_cast<int>(log_level::off) == static_cast<int>(spdlog::level::off));

spdlog::logger& spdlog_logger() {
  static const std::shared_ptr<spdlog::logger> logger = [] {
    if (auto known = spdlog::get("troupe")) return known;
    auto made = std::make_shared<spdlog::logger>("troupe", std::make_shared<writer_sink>());
    spdlog::initialize_logger(made);
    return made;
  }();
  return *logger;
}

} // namespace

void set_log_level(log_level lowest) { spdlog_logger().set_level(spdlog_level(lowest)); }

log_level log_level_of(std::string_view name) {
  const auto level = spdlog::level::from_str(std::string(name));
  if (level == spdlog::level::off && name != "off")
    throw std::invalid_argument("unknown log level '" + std::string(name) + "'");
  return static_cast<log_level>(level);
}

void logger::write(log_level level, fmt::string_view format, fmt::format_args args) {
  auto& to = spdlog_logger();
  if (!to.should_log(spdlog_level(level))) return;
  fmt::memory_buffer text;
  fmt::vformat_to(fmt::appender(text), format, args);
  to.log(spdlog_level(level), std::string_view(text.data(), text.size()));
}

std::uint64_t dropped_log_lines() { return stderr_writer().dropped(); }

void write_to_stderr(std::string_view line) { stderr_writer().write(std::string(line) + '\n'); }

} // namespace troupe
