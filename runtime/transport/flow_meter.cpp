#include "runtime/transport/flow_meter.hpp"

#include <algorithm>
#include <utility>

namespace troupe::net {
namespace {

/// Approximate cost of a piece in a mailbox beyond its bytes. Mostly small messages fill mailboxes.
constexpr std::size_t overhead = 256;
/// Tokens per share of a connection: few, but enough to report early that there is room again.
constexpr std::size_t tokens = 16;

} // namespace

std::size_t flow_room::share() const noexcept {
  return std::min(most, total / std::max<std::size_t>(1, connections.load(std::memory_order_relaxed)));
}

class flow_meter::token {
 public:
  token(std::shared_ptr<flow_meter> meter, std::size_t bytes) : meter_(std::move(meter)), bytes_(bytes) {}
  ~token() { meter_->handled(bytes_); }
  token(const token&) = delete;

 private:
  std::shared_ptr<flow_meter> meter_;
  std::size_t bytes_;
};

flow_meter::flow_meter(std::shared_ptr<flow_room> room, token_sender send)
    : room_(std::move(room)), sender_(std::move(send)) {
  ++room_->connections;
}

flow_meter::~flow_meter() { --room_->connections; }

void flow_meter::handed(std::size_t bytes) {
  unhandled_ += bytes + overhead;
  unmarked_ += bytes + overhead;
  if (unmarked_ >= room_->share() / tokens) send_token();
}

bool flow_meter::hold(std::function<void()> resume) {
  {
    const std::lock_guard lock(mutex_);
    if (!is_over()) return false;
    resume_ = std::move(resume);
  }
  // Without this token nothing would report that the rest is handled.
  if (unmarked_ > 0) send_token();
  return true;
}

void flow_meter::send_token() {
  const auto bytes = std::exchange(unmarked_, 0);
  sender_(std::make_shared<const token>(shared_from_this(), bytes));
}

void flow_meter::handled(std::size_t bytes) {
  std::function<void()> resume;
  {
    const std::lock_guard lock(mutex_);
    unhandled_ -= bytes;
    if (unhandled_ <= room_->share() / 2) resume = std::exchange(resume_, nullptr);
  }
  if (resume) resume();
}

} // namespace troupe::net
