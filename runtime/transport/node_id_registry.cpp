#include "runtime/transport/node_id_registry.hpp"

#include <utility>

namespace troupe::net {

namespace {

/// They take about 1 MB.
constexpr std::size_t max_known = 10'000;

} // namespace

node_id_registry::node_id_registry(std::size_t max_new_nodes, std::chrono::milliseconds new_node_interval)
    : max_new_(max_new_nodes), interval_(new_node_interval), new_left_(max_new_nodes) {}

claim_outcome node_id_registry::claim(std::string_view node, const std::shared_ptr<connection_liveness>& by,
                                      steady_time now) {
  const std::lock_guard lock(mutex_);
  const auto held = holders_.find(node);
  if (held != holders_.end() && !held->second->ended()) {
    if (held->second == by) return claim_outcome::granted;
    if (held->second->is_of_same_realm(*by)) {
      held->second->share_with(*by);
      return claim_outcome::taken;
    }
    // No transport needs that connection any more. The next attempt finds the node free.
    if (held->second->is_orphaned()) held->second->cut();
    return claim_outcome::other_realm;
  }
  if (!admit(node, now)) return claim_outcome::too_many_nodes;
  holders_.insert_or_assign(std::string{node}, by);
  return claim_outcome::granted;
}

bool node_id_registry::admit(std::string_view node, steady_time now) {
  std::string name{node};
  if (known_.contains(name)) return true;
  const auto passed = static_cast<std::size_t>((now - counted_at_) / interval_);
  if (new_left_ + passed >= max_new_) {
    new_left_ = max_new_;
    counted_at_ = now;
  } else {
    new_left_ += passed;
    counted_at_ += passed * interval_;
  }
  if (new_left_ == 0) return false;
  --new_left_;
  if (known_.size() >= max_known) known_.clear();
  known_.insert(std::move(name));
  return true;
}

void node_id_registry::release(const std::shared_ptr<connection_liveness>& by) {
  const std::lock_guard lock(mutex_);
  std::erase_if(holders_, [&](const auto& item) { return item.second == by; });
}

bool node_id_registry::cut(std::string_view node) {
  const std::lock_guard lock(mutex_);
  const auto held = holders_.find(node);
  if (held == holders_.end()) return false;
  held->second->cut();
  return true;
}

} // namespace troupe::net
