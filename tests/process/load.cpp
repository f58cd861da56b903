#include "tests/process/load.hpp"

#include <algorithm>
#include <utility>

namespace troupe::testing {

using namespace std::chrono_literals;

namespace {

std::string target_of(std::size_t i) { return "/v1/maps/load/k" + std::to_string(i); }

} // namespace

load::load(node_connector connect, options chosen, std::vector<std::size_t> through)
    : connect_(std::move(connect)), pause_(chosen.pause), fates_(chosen.writes), through_(std::move(through)) {
  for (std::size_t i = 0; i < chosen.connections; ++i) workers_.emplace_back([this, i] { work(i); });
}

void load::go_through(std::vector<std::size_t> nodes) {
  const std::lock_guard lock{mutex_};
  through_ = std::move(nodes);
}

bool load::goes_through(std::size_t node) const {
  const std::lock_guard lock{mutex_};
  return std::find(through_.begin(), through_.end(), node) != through_.end();
}

std::size_t load::node_at(std::size_t turn) const {
  const std::lock_guard lock{mutex_};
  return through_[turn % through_.size()];
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

void load::work(std::size_t number) {
  std::size_t turn = number;
  std::optional<std::size_t> node;
  std::optional<http::client> connection;
  while (const auto i = take()) {
    for (auto got = fate::open; got == fate::open && !stopped_;) {
      if (const auto wanted = node_at(turn); wanted != node) {
        node = wanted;
        connection.emplace(connect_(wanted));
      }
      got = write(*i, *connection);
      if (got != fate::acknowledged) ++turn;
      if (got == fate::open) std::this_thread::sleep_for(5ms); // nap: a rejected client does not retry at once
    }
    if (pause_.count() > 0) std::this_thread::sleep_for(pause_); // nap: the pace of this client
  }
}

load::fate load::write(std::size_t i, http::client& connection) {
  try {
    const auto answer = connection.request("PUT", target_of(i), std::to_string(i));
    if (answer.status == 503 || answer.status == 429) return fate::open;
    settle(i, answer.status == 200 ? fate::acknowledged : fate::maybe);
    if (answer.status == 200 || answer.status == 504) return fates_[i];
    const std::lock_guard lock{mutex_};
    wrong_.push_back(target_of(i) + " answered " + std::to_string(answer.status) + ": " + answer.body);
  } catch (const http::client_error& error) {
    if (!error.sent()) return fate::open;
    settle(i, fate::maybe);
  }
  return fate::maybe;
}

void load::settle(std::size_t i, fate what) {
  fates_[i] = what;
  if (what != fate::acknowledged)
    ++maybe_;
  else if (++acknowledged_ == event_at_)
    event_();
}

std::vector<std::string> load::check(std::size_t node) const {
  constexpr std::size_t readers = 16;
  const std::size_t begun = next_; // all writers have ended
  std::atomic<std::size_t> next = 0;
  std::vector<std::string> problems;
  std::vector<std::thread> threads;
  const auto read_all = [&] {
    auto connection = connect_(node);
    for (std::size_t i = next++; i < begun; i = next++) {
      auto problem = check_key(i, connection);
      if (problem.empty()) continue;
      const std::lock_guard lock{mutex_};
      problems.push_back("through node " + std::to_string(node) + ": " + problem);
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
