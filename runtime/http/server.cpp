#include <troupe/http/server.hpp>

#include "runtime/http/connection.hpp"
#include "runtime/http/mailbox.hpp"
#include "runtime/http/places.hpp"

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <array>
#include <future>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <utility>

namespace troupe::http {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

using executor = asio::io_context::executor_type;
using acceptor = asio::basic_socket_acceptor<tcp, executor>;
using timer = asio::basic_waitable_timer<steady_clock, asio::wait_traits<steady_clock>, executor>;

/// After a failed accept (for example without free descriptors), the next attempt waits this long instead of spinning.
constexpr milliseconds accept_retry{50};

/// How often deadlines are checked: often enough to enforce them, rarely enough to be cheap.
milliseconds sweep_interval(const options& settings) {
  const auto shortest = std::min({settings.read_timeout, settings.write_timeout, settings.idle_timeout});
  return std::clamp(shortest / 8, milliseconds(5), milliseconds(250));
}

acceptor listen(asio::io_context& io, const options& settings) {
  try {
    const auto flags = tcp::resolver::passive | tcp::resolver::numeric_service;
    const auto found = tcp::resolver(io).resolve(settings.address, std::to_string(settings.port), flags);
    return acceptor(io, found.begin()->endpoint(), true);
  } catch (const boost::system::system_error& error) {
    throw listen_error("cannot listen on " + settings.address + " port " + std::to_string(settings.port) + ": " +
                       error.code().message());
  }
}

/// The first bytes of every request and answer are not counted, so that small ones always pass. They are subtracted
/// from the total.
std::shared_ptr<byte_budget> make_budget(const options& settings) {
  constexpr std::size_t allowance = 4096;
  const auto most = settings.max_buffered / 4;
  const auto connections = std::max<std::size_t>(settings.max_connections + probe_reserve, 1);
  const auto each = std::min(allowance, most / (2 * connections));
  return std::make_shared<byte_budget>(settings.max_buffered - 2 * connections * each, each);
}

} // namespace

class server::core {
 public:
  core(options settings, handler serve)
      : accept_timer_(io_), sweep_timer_(io_), stop_timer_(io_), acceptor_(listen(io_, settings)),
        work_(io_.get_executor()), interval_(sweep_interval(settings)) {
    shared_.settings = within_file_limit(std::move(settings));
    answers_ =
        std::make_shared<mailbox>([this] { asio::post(io_, [this] { deliver(); }); }, make_budget(shared_.settings));
    shared_.serve = std::move(serve);
    shared_.answers = answers_;
    shared_.ended = [this](std::uint64_t id) { on_ended(id); };
    shared_.make_regular = [this](connection& one) { return places_.make_regular(one); };
    shared_.free_memory_for = [this](const connection& origin) { return free_memory_for(shared_, origin); };
    accept();
    port_ = acceptor_.local_endpoint().port();
    thread_ = std::thread([this] { io_.run(); });
  }

  std::uint16_t port() const { return port_; }

  bool drain(milliseconds patience) {
    if (io_.get_executor().running_in_this_thread()) throw std::logic_error("an HTTP handler cannot stop its server");
    asio::post(io_, [this] { stop_accepting(); });
    return all_ended_future_.wait_for(patience) == std::future_status::ready;
  }

  void stop(milliseconds grace) {
    if (io_.get_executor().running_in_this_thread()) throw std::logic_error("an HTTP handler cannot stop its server");
    const std::lock_guard lock(stop_mutex_);
    if (!thread_.joinable()) return;
    asio::post(io_, [this, grace] { begin_stop(grace); });
    thread_.join();
    answers_->close();
  }

 private:
  void accept() {
    accepting_ = true;
    acceptor_.async_accept([this](error_code failed, socket peer) { on_accept(failed, std::move(peer)); });
  }

  void on_accept(error_code failed, socket peer) {
    accepting_ = false;
    if (shared_.stopping) return;
    if (failed) {
      accept_timer_.expires_after(accept_retry);
      accepting_ = true;
      return accept_timer_.async_wait([this](error_code cancelled) {
        if (!cancelled) accept();
      });
    }
    const auto id = ++last_id_;
    auto group = group_of(peer);
    const auto kind = places_.take(group);
    if (kind == places::kind::none) return accept(); // `peer` closes
    const auto arrived =
        std::make_shared<connection>(id, std::move(peer), std::move(group), kind == places::kind::reserved, shared_);
    places_.add(*arrived);
    connections_.emplace(id, arrived);
    if (connections_.size() == 1) schedule_sweep();
    arrived->start();
    if (!accepting_) accept();
  }

  void on_ended(std::uint64_t id) {
    const auto at = connections_.find(id);
    places_.remove(*at->second);
    connections_.erase(at);
    if (connections_.empty()) sweep_timer_.cancel();
    release_if_done();
  }

  void deliver() {
    answers_->take(burst_);
    for (auto& one : burst_) {
      const auto at = connections_.find(one.connection);
      if (at == connections_.end()) continue;
      const auto receiver = at->second; // keeps it alive: an answer may end its connection
      std::visit([&](auto& what) { receiver->take(std::move(what), std::move(one.held)); }, one.content);
    }
    burst_.clear();
    if (answers_->take_shortage()) end_slow_clients(shared_);
  }

  /// Works on a copy of the table, because `visit` may end connections.
  template <class F> void for_each_connection(F&& visit) {
    std::vector<std::shared_ptr<connection>> all;
    all.reserve(connections_.size());
    for (const auto& [id, one] : connections_) all.push_back(one);
    for (const auto& one : all) visit(*one);
  }

  void schedule_sweep() {
    sweep_timer_.expires_after(interval_);
    sweep_timer_.async_wait([this](error_code cancelled) {
      if (cancelled) return;
      const auto now = steady_clock::now();
      for_each_connection([now](connection& one) { one.expire(now); });
      places_.look_for_departed();
      if (!connections_.empty()) schedule_sweep();
    });
  }

  void stop_accepting() {
    if (std::exchange(shared_.stopping, true)) return;
    error_code ignored;
    acceptor_.close(ignored);
    accept_timer_.cancel();
    for_each_connection([](connection& one) { one.finish(); });
    release_if_done();
  }

  void begin_stop(milliseconds grace) {
    stop_accepting();
    if (connections_.empty()) return;
    stop_timer_.expires_after(grace);
    stop_timer_.async_wait([this](error_code cancelled) {
      if (!cancelled) for_each_connection([](connection& one) { one.close(); });
    });
  }

  /// Releases the I/O thread when it has nothing left to do.
  void release_if_done() {
    if (!shared_.stopping || !connections_.empty() || std::exchange(released_, true)) return;
    stop_timer_.cancel();
    work_.reset();
    all_ended_.set_value();
  }

  asio::io_context io_{1};
  timer accept_timer_;
  timer sweep_timer_;
  timer stop_timer_;
  acceptor acceptor_;
  asio::executor_work_guard<executor> work_;
  milliseconds interval_;
  std::shared_ptr<mailbox> answers_;
  server_state shared_;
  places places_{shared_};
  std::promise<void> all_ended_;
  std::shared_future<void> all_ended_future_ = all_ended_.get_future().share();
  bool released_ = false;
  /// An accept, or the pause before the next one, is pending.
  bool accepting_ = false;
  std::uint64_t last_id_ = 0;
  std::unordered_map<std::uint64_t, std::shared_ptr<connection>> connections_;
  std::vector<answer> burst_;
  std::uint16_t port_ = 0;
  std::mutex stop_mutex_;
  std::thread thread_;
};

server::server(options settings, handler serve)
    : core_(std::make_unique<core>(std::move(settings), std::move(serve))) {}

server::~server() { core_->stop(milliseconds(0)); }

std::uint16_t server::port() const { return core_->port(); }

bool server::drain(milliseconds patience) { return core_->drain(patience); }

void server::stop(milliseconds grace) { core_->stop(grace); }

} // namespace troupe::http
