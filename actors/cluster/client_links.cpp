#include "actors/cluster/client_links.hpp"

#include "actors/cluster/peer_link.hpp"

#include <algorithm>
#include <troupe/log.hpp>
#include <troupe/printable.hpp>
#include <utility>

namespace troupe {
namespace {

constexpr std::size_t max_problem = 300;
/// Limits how many addresses the nodes' welcomes can make a client dial.
constexpr std::size_t max_addresses = 64;

} // namespace

client_links::client_links(caf::actor_config& config, std::vector<std::string> addresses, link_factory_ptr factory,
                           std::uint64_t seed, proxy_handle proxy)
    : compat::typed_base<client_link_listener>(config), given_(std::move(addresses)), factory_(std::move(factory)),
      random_(seed), proxy_(std::move(proxy)) {
  set_down_handler([this](const caf::down_msg& m) { on_down(m); });
}

client_link_listener::behavior_type client_links::make_behavior() {
  for (const auto& address : given_) dial(address);
  return {[this](const client_link_report& m) { on_report(m); }};
}

void client_links::on_end() {
  for (const auto& [address, entry] : addresses_) anon_send_exit(entry.link, caf::exit_reason::user_shutdown);
  addresses_.clear();
  proxy_ = nullptr;
}

void client_links::dial(const std::string& address) {
  if (addresses_.contains(address)) return;
  auto& entry = addresses_[address];
  entry.link = spawn<client_link>(address, factory_, random_.next(), client_link_listener{this});
  monitor(entry.link);
}

void client_links::on_down(const caf::down_msg& message) {
  log().error("client: a link ended: {}", to_text(system(), message.reason));
  quit(message.reason);
}

void client_links::on_report(const client_link_report& report) {
  const auto found = addresses_.find(report.address);
  if (found == addresses_.end()) return;
  auto& entry = found->second;
  // A link repeats its hello, and reports each answer.
  const bool changed = !report.welcome || entry.node != report.welcome->node;
  if (changed && trace::is_on(trace::links))
    trace::write(trace::links,
                 "client: " + printable(report.address) +
                     (report.welcome ? ": linked to node " + to_string(report.welcome->node) : ": no link") +
                     (report.problem.empty() ? "" : ", " + printable(report.problem, max_problem)));
  auto problem = report.problem;
  const auto& welcome = report.welcome;
  if (welcome && !cluster_) cluster_ = welcome->cluster;
  if (welcome && welcome->cluster != cluster_)
    problem = "belongs to cluster " + to_string(welcome->cluster) + ", not to " + to_string(cluster_);
  if (!problem.empty() && problem != entry.problem)
    log().warn("client: {}: {}", printable(report.address), printable(problem, max_problem));
  entry.problem = problem;
  if (!problem.empty()) send(proxy_, link_problem{report.address, printable(problem, max_problem)});
  if (entry.node && (!welcome || !problem.empty() || entry.node != welcome->node || entry.endpoint != report.endpoint))
    lost(report.address);
  if (!welcome || !problem.empty()) return;
  entry.node = welcome->node;
  entry.endpoint = report.endpoint;
  entry.doubtful = false;
  if (!used_.contains(entry.node)) use(report.address);
  if (welcome->leader) send(proxy_, leader_known{0, welcome->leader});
  for (const auto& member : welcome->members)
    if (plausible_address(member.address) && addresses_.size() < max_addresses) dial(member.address);
}

void client_links::lost(const std::string& address) {
  auto& entry = addresses_[address];
  const auto node = std::exchange(entry.node, {});
  // The node's other addresses lead to the same process over the same connection, so they are probably lost as well.
  const auto gone = std::exchange(entry.endpoint, nullptr);
  for (auto& [other, twin] : addresses_)
    if (gone && twin.endpoint == gone) twin.doubtful = true;
  const auto used = used_.find(node);
  if (used == used_.end() || used->second != address) return;
  used_.erase(used);
  send(proxy_, link_down{node});
  const auto twin = std::find_if(addresses_.begin(), addresses_.end(),
                                 [&](const auto& item) { return item.second.node == node && !item.second.doubtful; });
  if (twin != addresses_.end()) use(twin->first);
}

void client_links::use(const std::string& address) {
  const auto& entry = addresses_[address];
  used_[entry.node] = address;
  hello who;
  who.node = entry.node;
  who.address = address;
  send(proxy_, link_up{who, entry.endpoint});
}

} // namespace troupe
