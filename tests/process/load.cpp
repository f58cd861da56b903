#include "tests/process/load.hpp"

#include <utility>

namespace troupe::testing {

using namespace std::chrono_literals;

namespace {

std::string target_of(std::size_t i) { return "/v1/maps/load/k" + std::to_string(i); }

} // namespace

load::load(cluster& nodes, std::size_t writes, std::size_t connections, std::size_t through)
    : nodes_(nodes), fates_(writes), through_(through) {
  for (std::size_t i = 0; i < connections; ++i) workers_.emplace_back([this] { work(); });
}

void load::join() {
  for (auto& worker : workers_) worker.join();
  workers_.clear();
}

void load::stop() {
  {
    const std::lock_guard lock{mutex_};
    stopped_ = true;
  }
  may_go_on_.notify_all();
  join();
}

void load::allow(std::size_t count) {
  {
    const std::lock_guard lock{mutex_};
    allowed_ = count;
  }
  may_go_on_.notify_all();
}

void load::at_acknowledged(std::size_t count, std::function<void()> what) {
  const std::lock_guard lock{mutex_};
  event_at_ = count;
  event_ = std::move(what);
}

std::optional<std::size_t> load::take() {
  std::unique_lock lock{mutex_};
  may_go_on_.wait(lock, [&] { return stopped_ || next_ < allowed_ || next_ == fates_.size(); });
  if (stopped_ || next_ == fates_.size()) return std::nullopt;
  if (++next_ == fates_.size()) may_go_on_.notify_all();
  return next_ - 1;
}

void load::work() {
  std::size_t node = through_;
  auto connection = nodes_[node].connect();
  while (const auto i = take()) {
    while (!stopped_ && !write(*i, connection)) {
      if (node == through_) continue;
      node = through_;
      connection = nodes_[node].connect();
    }
  }
}

/// False if the write was surely not done.
bool load::write(std::size_t i, http::client& connection) {
  try {
    const auto answer = connection.request("PUT", target_of(i), std::to_string(i));
    if (answer.status == 503 || answer.status == 429) return false;
    settle(i, answer.status == 200 ? fate::acknowledged : fate::maybe);
    if (answer.status == 200 || answer.status == 504) return true;
    const std::lock_guard lock{mutex_};
    wrong_.push_back(target_of(i) + " answered " + std::to_string(answer.status) + ": " + answer.body);
    return true;
  } catch (const http::client_error& error) {
    if (!error.sent()) {
      std::this_thread::sleep_for(5ms); // nap: nobody listens where the node was killed
      return false;
    }
    settle(i, fate::maybe);
    return true;
  }
}

void load::settle(std::size_t i, fate what) {
  fates_[i] = what;
  if (what != fate::acknowledged)
    ++maybe_;
  else if (++acknowledged_ == event_at_)
    event_();
}

std::vector<std::string> load::check(const server& node) const {
  constexpr std::size_t readers = 16;
  const std::size_t begun = next_; // nobody writes any more
  std::atomic<std::size_t> next = 0;
  std::vector<std::string> problems;
  std::vector<std::thread> threads;
  const auto read_all = [&] {
    auto connection = node.connect();
    for (std::size_t i = next++; i < begun; i = next++) {
      auto problem = check_key(i, connection);
      if (problem.empty()) continue;
      const std::lock_guard lock{mutex_};
      problems.push_back(node.name() + ": " + problem);
    }
  };
  for (std::size_t i = 0; i < readers; ++i) threads.emplace_back(read_all);
  for (auto& thread : threads) thread.join();
  return problems;
}

std::string load::check_key(std::size_t i, http::client& connection) const {
  const auto target = target_of(i);
  try {
    const auto answer = connection.request("GET", target);
    if (answer.status == 200 && json::parse(answer.body).at("value") == i) return {};
    if (answer.status == 404 && fates_[i] != fate::acknowledged) return {};
    return target + " answered " + std::to_string(answer.status) + ": " + answer.body;
  } catch (const std::exception& error) {
    return target + ": " + error.what();
  }
}

} // namespace troupe::testing
