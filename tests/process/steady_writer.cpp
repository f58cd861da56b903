#include "tests/process/steady_writer.hpp"

#include <algorithm>
#include <utility>

namespace troupe::testing {

using std::chrono::steady_clock;

double median(std::vector<double> of) {
  std::sort(of.begin(), of.end());
  return of[of.size() / 2];
}

steady_writer::steady_writer(cluster& nodes, options chosen) : nodes_(nodes), options_(std::move(chosen)) {
  for (std::size_t i = 0; i < options_.connections; ++i) workers_.emplace_back([this, i] { work(i); });
}

void steady_writer::work(std::size_t number) {
  const auto& through = options_.through;
  const auto node = through.empty() ? number % nodes_.size() : through[number % through.size()];
  auto connection = nodes_[node].connect();
  const auto target = "/v1/maps/steady/k" + std::to_string(number);
  for (std::size_t i = 0; !stopped_; ++i) {
    auto value = std::to_string(i);
    value.resize(std::max(value.size(), options_.value_bytes), 'x');
    std::string problem;
    const auto began = steady_clock::now();
    try {
      const auto answer = connection.request("PUT", target, '"' + value + '"');
      if (answer.status != 200) problem = std::to_string(answer.status) + " " + answer.body;
    } catch (const std::exception& e) {
      problem = e.what();
    }
    const std::chrono::duration<double, std::milli> took = steady_clock::now() - began;
    if (problem.empty()) ++acknowledged_;
    {
      const std::lock_guard lock{mutex_};
      took_ms_.push_back(took.count());
      if (!problem.empty()) wrong_.push_back(target + ": " + problem);
    }
    if (options_.pause.count() > 0) std::this_thread::sleep_for(options_.pause); // nap: the pace of this client
  }
}

double steady_writer::take_p99() {
  std::vector<double> taken;
  {
    const std::lock_guard lock{mutex_};
    taken = std::exchange(took_ms_, {});
  }
  if (taken.empty()) return 0;
  std::sort(taken.begin(), taken.end());
  return taken[std::min(taken.size() - 1, taken.size() * 99 / 100)];
}

std::vector<std::string> steady_writer::stop() {
  stopped_ = true;
  for (auto& worker : workers_) worker.join();
  workers_.clear();
  return wrong_;
}

} // namespace troupe::testing
