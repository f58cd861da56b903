#include "runtime/http/places.hpp"

#include "runtime/os/descriptor_budget.hpp"

#include <poll.h>

#include <algorithm>
#include <vector>

namespace troupe::http {

namespace {

using std::chrono::steady_clock;

/// A client that receives nothing of its answer for this long may be cut when memory is short.
constexpr std::chrono::seconds slow_client{1};

/// If there is no such client, a client that receives fewer bytes per second than this may be cut.
constexpr double slow_rate = 256 * 1024;

/// Limit of the clients that are compared, longest wait first, because memory may be short at every request.
constexpr int most_compared = 1024;

/// Checking a waiting client takes about 0.1 us. This many may be checked per second: a tenth of the thread's time.
constexpr double checks_per_second = 1e6;
constexpr double max_checks_at_once = 1e5;

waiting_list& waiting(server_state& server, waiting_for what) { return server.waiting[static_cast<std::size_t>(what)]; }

/// The slowest of the clients that are receiving answers. Null if all are fast enough.
connection* slowest_client(server_state& server, const connection* origin) {
  const auto now = steady_clock::now();
  connection* slowest = nullptr;
  auto lowest = slow_rate;
  int compared = 0;
  for (auto* one : waiting(server, waiting_for::client)) {
    if (++compared > most_compared) break;
    if (one == origin || one->held() == 0) continue;
    if (now - one->since() >= slow_client) return one;
    if (one->writing_for(now) < slow_client || one->rate(now) >= lowest) continue;
    slowest = one;
    lowest = one->rate(now);
  }
  return slowest;
}

} // namespace

options within_file_limit(options settings) {
  const auto most = std::max(descriptor_shares().http_connections, probe_reserve + 1) - probe_reserve;
  settings.max_connections = std::min(settings.max_connections, most);
  return settings;
}

std::string group_of(const socket& peer) {
  boost::system::error_code failed;
  const auto address = peer.remote_endpoint(failed).address();
  if (failed) return "?";
  if (address.is_v4()) return address.to_v4().to_string();
  const auto v6 = address.to_v6();
  if (v6.is_v4_mapped()) return make_address_v4(boost::asio::ip::v4_mapped, v6).to_string();
  const auto bytes = v6.to_bytes();
  return {reinterpret_cast<const char*>(bytes.data()), 8};
}

bool free_memory_for(server_state& server, const connection& origin) {
  for (auto* one : waiting(server, waiting_for::bytes)) {
    if (one == &origin || one->held() == 0) continue;
    one->give_up();
    return true;
  }
  auto* slow = slowest_client(server, &origin);
  if (slow) slow->close();
  return slow != nullptr;
}

void end_slow_clients(server_state& server) {
  const auto& budget = *server.answers->budget();
  while (budget.used() > budget.limit() / 8 * 7) {
    auto* slow = slowest_client(server, nullptr);
    if (!slow) return;
    slow->close();
  }
}

places::places(server_state& server) : server_(server), share_(descriptor_shares().http_connections) {
  http_descriptors.add(probe_reserve);
}

places::~places() { http_descriptors.remove(probe_reserve + regular_); }

bool places::has_place(const std::string& group) const {
  if (regular_ >= server_.settings.max_connections) return false;
  // Two servers may both take the last place; the share leaves room for that. Each server may always have one
  // connection.
  if (regular_ > 0 && http_descriptors.held() >= share_) return false;
  const auto at = of_group_.find(group);
  return at == of_group_.end() || at->second < server_.settings.max_connections_of_address;
}

places::kind places::take(const std::string& group) {
  if (make_place(group)) return kind::regular;
  if (reserved_ < probe_reserve || end_one([](const connection& one) { return one.reserved(); })) return kind::reserved;
  return kind::none;
}

bool places::make_place(const std::string& group) {
  if (has_place(group)) return true;
  const auto at = of_group_.find(group);
  const bool of_group = at != of_group_.end() && at->second >= server_.settings.max_connections_of_address;
  const test fits = [&](const connection& one) { return !one.reserved() && (!of_group || one.group() == group); };
  if (end_one(fits)) return true;
  if (!may_check()) return false;
  look_for_departed();
  return has_place(group) || end_one(fits);
}

bool places::end_one(const test& fits) {
  for (const auto what : {waiting_for::departed, waiting_for::request, waiting_for::end, waiting_for::bytes}) {
    const auto& list = waiting(server_, what);
    const auto at = std::find_if(list.begin(), list.end(), [&](const connection* one) { return fits(*one); });
    if (at == list.end()) continue;
    (*at)->close();
    return true;
  }
  return false;
}

bool places::make_regular(connection& one) {
  if (!make_place(one.group())) return false;
  remove(one);
  one.make_regular();
  add(one);
  return true;
}

void places::add(const connection& one) {
  if (one.reserved()) {
    ++reserved_;
    return;
  }
  ++regular_;
  http_descriptors.add(1);
  ++of_group_[one.group()];
}

void places::remove(const connection& one) {
  if (one.reserved()) {
    --reserved_;
    return;
  }
  --regular_;
  http_descriptors.remove(1);
  if (const auto at = of_group_.find(one.group()); --at->second == 0) of_group_.erase(at);
}

bool places::may_check() {
  const auto now = steady_clock::now();
  const std::chrono::duration<double> passed = now - counted_at_;
  counted_at_ = now;
  checks_ = std::min(checks_ + passed.count() * checks_per_second, max_checks_at_once);
  const auto needed = static_cast<double>(waiting(server_, waiting_for::answer).size());
  if (checks_ < needed) return false;
  checks_ -= needed;
  return true;
}

void places::look_for_departed() {
  std::vector<pollfd> asked;
  std::vector<connection*> all;
  for (auto* one : waiting(server_, waiting_for::answer)) {
    asked.push_back({one->descriptor(), POLLRDHUP, 0});
    all.push_back(one);
  }
  for (auto* one : waiting(server_, waiting_for::departed)) {
    asked.push_back({one->descriptor(), 0, 0});
    all.push_back(one);
  }
  if (::poll(asked.data(), asked.size(), 0) <= 0) return;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (asked[i].revents & (POLLERR | POLLHUP | POLLNVAL))
      all[i]->close();
    else if (asked[i].revents & POLLRDHUP)
      all[i]->depart();
  }
  auto& departed = waiting(server_, waiting_for::departed);
  const auto most = std::max<std::size_t>(1, server_.settings.max_connections / 16);
  while (departed.size() > most) departed.front()->close();
}

} // namespace troupe::http
