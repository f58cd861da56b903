// Runs a blocking discovery method in a thread of a test and records what it reports.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <troupe/blocking_method.hpp>
#include <vector>

namespace troupe::test {

using addresses = std::vector<std::string>;

/// The destructor stops the method and waits for it.
class method_run : private method_listener {
 public:
  explicit method_run(blocking_method& method)
      : thread_{[this, &method](const std::stop_token& stop) { method.run(stop, *this); }} {}

  /// Waits until the method reports exactly these addresses, in any order; false after `patience`.
  bool sees(addresses wanted, std::chrono::milliseconds patience = std::chrono::seconds{10}) {
    std::sort(wanted.begin(), wanted.end());
    return until(patience, [&] { return view_ == wanted; });
  }
  /// Waits until the reported problem contains these words; empty words: until there is no problem.
  bool complains(const std::string& words, std::chrono::milliseconds patience = std::chrono::seconds{10}) {
    return until(patience, [&] {
      return words.empty() ? trouble_ && trouble_->empty() : trouble_ && trouble_->find(words) != std::string::npos;
    });
  }
  /// Number of reports of addresses.
  int reports() {
    const std::lock_guard lock{mutex_};
    return reports_;
  }
  std::optional<addresses> view() {
    const std::lock_guard lock{mutex_};
    return view_;
  }
  std::string trouble_text() {
    const std::lock_guard lock{mutex_};
    return trouble_.value_or("");
  }
  /// Waits until `done` is true after a report.
  bool until(std::chrono::milliseconds patience, const std::function<bool()>& done) {
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, patience, done);
  }
  void stop() {
    thread_.request_stop();
    if (thread_.joinable()) thread_.join();
  }

 private:
  void found(addresses now) override {
    std::sort(now.begin(), now.end());
    const std::lock_guard lock{mutex_};
    view_ = std::move(now);
    ++reports_;
    changed_.notify_all();
  }
  void problem(const std::string& what) override {
    const std::lock_guard lock{mutex_};
    trouble_ = what;
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<addresses> view_;
  std::optional<std::string> trouble_;
  int reports_ = 0;
  std::jthread thread_;
};

} // namespace troupe::test
