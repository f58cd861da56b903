#include <troupe/threads.hpp>

#include <latch>
#include <system_error>
#include <thread>
#include <vector>

namespace troupe {
namespace {

std::mutex& turns() {
  static std::mutex mutex;
  return mutex;
}

std::string why_no_threads(std::size_t count) {
  std::latch done{1};
  std::vector<std::thread> started;
  std::string why;
  try {
    started.reserve(count);
    // All of them exist at the same time: a thread that had ended could make room for the next one.
    for (; count > 0; --count) started.emplace_back([&done] { done.wait(); });
  } catch (const std::system_error& error) {
    why = std::string{"cannot start a thread: "} + error.code().message();
  }
  done.count_down();
  for (auto& each : started) each.join();
  return why;
}

} // namespace

thread_check::thread_check(std::size_t count) {
  if (count == 0) return;
  turn_ = std::unique_lock{turns()};
  objection_ = why_no_threads(count);
}

} // namespace troupe
