#include "runtime/transport/resolver_pool.hpp"

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <new>
#include <thread>
#include <utility>

namespace troupe::net {
namespace {

/// Callers of a name that hangs give up and ask again. Older ones are dropped.
constexpr std::size_t max_takers_of_a_name = 4;

} // namespace

/// Shared by the pool and its threads. Threads that hang keep it alive after the pool has ended.
class resolver_pool::state : public std::enable_shared_from_this<resolver_pool::state> {
 public:
  state(std::size_t max_threads, std::chrono::milliseconds idle, resolve how)
      : max_threads_(max_threads), idle_(idle), how_(std::move(how)) {}

  void ask(const std::string& host, std::uint16_t port, taker done) {
    const std::lock_guard lock(mutex_);
    const name wanted{host, port};
    const auto [at, is_new] = takers_.try_emplace(wanted);
    try {
      at->second.push_back(std::move(done));
      if (is_new) waiting_.push_back(wanted); // otherwise it already waits or is being resolved
    } catch (const std::exception&) {
      // A name that is not in the queue would count as one that is being resolved, for ever.
      if (is_new) takers_.erase(at);
      throw;
    }
    if (at->second.size() > max_takers_of_a_name) at->second.pop_front();
    // Also for a name that already waits: it may not have got a thread before.
    if (free_ < waiting_.size() && threads_ < max_threads_) start_thread();
    wake_.notify_one();
  }

  void end() {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    takers_.clear();
    waiting_.clear();
    wake_.notify_all();
  }

  std::size_t threads() const {
    const std::lock_guard lock(mutex_);
    return threads_;
  }

 private:
  using name = std::pair<std::string, std::uint16_t>;

  void start_thread() {
    ++threads_;
    try {
      std::thread([self = shared_from_this()] { self->work(); }).detach();
    } catch (const std::exception&) {
      // No thread or memory is left for now. An existing thread takes the name, or the next request tries again.
      --threads_;
    }
  }

  void work() {
    std::unique_lock lock(mutex_);
    while (!ended_) {
      ++free_;
      const bool woken = wake_.wait_for(lock, idle_, [this] { return ended_ || !waiting_.empty(); });
      --free_;
      if (!woken || ended_) break;
      const auto wanted = std::move(waiting_.front()); // does not allocate: an exception here would end the process
      waiting_.pop_front();
      lock.unlock();
      const auto found = resolved(wanted);
      lock.lock();
      auto takers = takers_.extract(wanted);
      if (takers.empty()) continue;
      lock.unlock();
      for (const auto& take : takers.mapped()) deliver(take, found);
      lock.lock();
    }
    --threads_;
  }

  /// A caller that gets no answer because memory ran out gives up after its own time limit.
  static void deliver(const taker& take, const resolution& found) {
    try {
      take(found);
    } catch (const std::exception&) {
    }
  }

  resolution resolved(const name& wanted) const noexcept {
    try {
      return {std::make_shared<const resolved_host>(how_(wanted.first, wanted.second)), {}};
    } catch (const std::bad_alloc&) {
      return {nullptr, "no memory"}; // short enough to need no allocation
    } catch (const std::exception& e) {
      return problem(e.what());
    }
  }

  static resolution problem(const char* what) noexcept {
    try {
      return {nullptr, what};
    } catch (const std::exception&) {
      return {nullptr, "no memory"};
    }
  }

  const std::size_t max_threads_;
  const std::chrono::milliseconds idle_;
  const resolve how_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<name> waiting_;
  std::map<name, std::deque<taker>> takers_;
  std::size_t threads_ = 0;
  /// The threads that wait for a name.
  std::size_t free_ = 0;
  bool ended_ = false;
};

resolver_pool::resolver_pool(std::size_t max_threads, std::chrono::milliseconds idle, resolve how) {
  if (!how) how = [](const std::string& host, std::uint16_t port) { return resolved_host{host, port}; };
  state_ = std::make_shared<state>(max_threads, idle, std::move(how));
}

resolver_pool::~resolver_pool() { state_->end(); }

void resolver_pool::ask(const std::string& host, std::uint16_t port, taker done) {
  state_->ask(host, port, std::move(done));
}

std::size_t resolver_pool::threads() const { return state_->threads(); }

} // namespace troupe::net
