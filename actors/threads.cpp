#include "actors/threads.hpp"

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
    // All at once: what one gives back another one could take.
    for (; count > 0; --count) started.emplace_back([&done] { done.wait(); });
  } catch (const std::system_error& error) {
    why = std::string{"no thread can be started: "} + error.code().message();
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
