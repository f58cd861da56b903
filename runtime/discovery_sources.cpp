#include "runtime/discovery_sources.hpp"

#include "actors/discovery/static_loop.hpp"
#include "actors/protocol/messages.hpp"
#include "discovery/dns_method.hpp"
#include "discovery/kubernetes_method.hpp"
#include "discovery/mdns_method.hpp"

#include <algorithm>
#include <cstdlib>
#include <set>
#include <stdexcept>
#include <string>
#include <troupe/discovery.hpp>
#include <variant>

namespace troupe {
namespace {

/// Makes the source for each kind of method.
struct source_maker {
  std::string name;
  std::uint64_t seed;

  std::shared_ptr<peer_source> operator()(const static_list& list) const {
    return std::make_shared<static_source>(list);
  }
  std::shared_ptr<peer_source> operator()(const dns_query& query) const {
    return std::make_shared<blocking_source>(name, std::make_shared<dns_method>(query, seed));
  }
  std::shared_ptr<peer_source> operator()(const kubernetes_query& query) const {
    const auto access = find_kubernetes(query, [](const char* variable) { return std::getenv(variable); });
    return std::make_shared<blocking_source>(name, std::make_shared<kubernetes_method>(query, access, seed));
  }
  std::shared_ptr<peer_source> operator()(const mdns_service& service) const {
    const auto method = std::make_shared<mdns_method>(service, seed);
    return std::make_shared<blocking_source>(name, method, [method](const node_identity& self) {
      const auto port = parse_host_port(self.address).port;
      method->announce({self.node, self.incarnation, protocol_version, self.state, self.cluster, port});
    });
  }
};

} // namespace

std::string discovery_problem(const std::string& methods) try {
  parse_discovery(methods);
  return {};
} catch (const std::invalid_argument& why) {
  return why.what();
}

peer_sources make_sources(const discovery_spec& spec, const peer_sources& own, std::uint64_t seed) {
  peer_sources sources;
  for (const auto& method : spec) sources.push_back(std::visit(source_maker{name_of(method), seed++}, method));
  sources.insert(sources.end(), own.begin(), own.end());
  std::set<std::string> names;
  for (const auto& source : sources)
    if (!names.insert(source->name()).second)
      throw std::invalid_argument("two discovery sources have the name " + source->name());
  return sources;
}

expected_nodes expect_by_default(const discovery_spec& spec, const peer_sources& own) {
  if (spec.empty() && own.empty()) return {1, 0};
  const auto* listed = spec.size() == 1 && own.empty() ? std::get_if<static_list>(&spec.front()) : nullptr;
  if (!listed) return {0, 0};
  return {std::nullopt, listed->addresses.size()};
}

bool removes_by_default(const discovery_spec& spec) {
  return std::any_of(spec.begin(), spec.end(), [](const auto& method) {
    return std::holds_alternative<mdns_service>(method) || std::holds_alternative<kubernetes_query>(method);
  });
}

} // namespace troupe
