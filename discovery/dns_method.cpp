#include "discovery/dns_method.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cstring>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <utility>

namespace troupe {
namespace {

using namespace std::chrono_literals;

constexpr auto first_lookup_pause = 1s;

/// The resolver with its configuration, which is read again for each lookup because it may have changed.
class resolver {
 public:
  explicit resolver(const std::optional<host_port>& server) {
    // One attempt of 2 s for each server: after a failure the next lookup follows soon.
    constexpr int timeout = 2;
    if (::res_ninit(&state_) != 0) throw bad_dns_answer("cannot read the resolver's configuration");
    state_.retrans = timeout;
    state_.retry = 1;
    if (!server) return;
    auto& first = state_.nsaddr_list[0];
    first = {};
    first.sin_family = AF_INET;
    first.sin_port = htons(server->port);
    ::inet_pton(AF_INET, server->host.c_str(), &first.sin_addr);
    state_.nscount = 1;
  }
  resolver(const resolver&) = delete;
  ~resolver() { ::res_nclose(&state_); }

  std::vector<std::string> candidates(const std::string& name) {
    std::vector<std::string> search;
    for (std::size_t i = 0; i < MAXDNSRCH && state_.dnsrch[i]; ++i) search.emplace_back(state_.dnsrch[i]);
    if ((state_.options & RES_DNSRCH) == 0) search.clear();
    return dns_candidates(name, search, state_.ndots);
  }

  /// Throws bad_dns_answer if there is no valid answer.
  std::vector<std::string> ask(const std::string& name, dns_type type, std::uint16_t port) {
    std::string reply(NS_MAXMSG, '\0');
    auto* bytes = reinterpret_cast<unsigned char*>(reply.data());
    const int size =
        ::res_nquery(&state_, name.c_str(), ns_c_in, static_cast<int>(type), bytes, static_cast<int>(reply.size()));
    if (size >= 0) {
      reply.resize(std::min(reply.size(), static_cast<std::size_t>(size)));
      return read_dns_answer(reply, type, port);
    }
    switch (state_.res_h_errno) {
    case HOST_NOT_FOUND:
    case NO_DATA:
      return {};
    case TRY_AGAIN:
      throw bad_dns_answer("no name server answers, or the name server failed");
    default:
      throw bad_dns_answer("the name server refuses to answer");
    }
  }

 private:
  struct __res_state state_ {};
};

} // namespace

std::vector<std::string> dns_candidates(const std::string& name, const std::vector<std::string>& search,
                                        unsigned ndots) {
  if (name.ends_with('.')) return {name};
  std::vector<std::string> names;
  const bool first = static_cast<unsigned>(std::count(name.begin(), name.end(), '.')) >= ndots;
  if (first) names.push_back(name);
  for (const auto& domain : search)
    if (!domain.empty() && domain != ".") names.push_back(name + '.' + domain);
  if (!first) names.push_back(name);
  return names;
}

std::optional<std::vector<std::string>> dns_view::learn(dns_findings found, const std::vector<dns_type>& asked) {
  const bool whole = std::all_of(asked.begin(), asked.end(), [&](dns_type type) { return found.contains(type); });
  for (auto& [type, peers] : found) known_[type] = std::move(peers);
  std::vector<std::string> all;
  for (const auto& [type, peers] : known_) all.insert(all.end(), peers.begin(), peers.end());
  if (all.empty() && !whole) return std::nullopt;
  return all;
}

dns_method::dns_method(dns_query query, std::uint64_t seed)
    : query_(std::move(query)),
      types_(query_.port ? std::vector{dns_type::a, dns_type::aaaa} : std::vector{dns_type::srv}),
      backoff_(first_lookup_pause, std::max<raft::duration>(query_.interval, first_lookup_pause), seed) {}

void dns_method::run(const std::stop_token& stop, method_listener& listener) {
  while (!stop.stop_requested()) {
    std::string problem;
    auto found = look_up(stop, problem);
    if (stop.stop_requested()) return;
    if (auto view = view_.learn(std::move(found), types_)) listener.found(std::move(*view));
    listener.problem(problem);
    if (problem.empty()) backoff_.succeeded();
    if (!pause_for(stop, problem.empty() ? backoff_.around(query_.interval) : backoff_.failed())) return;
  }
}

/// Returns the result of the first candidate name that has peers. If no candidate has peers, but a lookup for one of
/// them failed, that candidate may have had peers, so the failed record type is missing in the result.
dns_findings dns_method::look_up(const std::stop_token& stop, std::string& problem) const try {
  resolver names{query_.server};
  dns_findings none;
  for (const auto type : types_) none[type] = {};
  for (const auto& name : names.candidates(query_.name)) {
    dns_findings found;
    bool any = false;
    for (const auto type : types_) {
      if (stop.stop_requested()) return {};
      try {
        auto peers = names.ask(name, type, query_.port.value_or(0));
        any = any || !peers.empty();
        found[type] = std::move(peers);
      } catch (const bad_dns_answer& why) {
        problem = name + ": " + why.what();
        none.erase(type);
      }
    }
    if (!any) continue;
    if (found.size() == types_.size()) problem.clear();
    return found;
  }
  return none;
} catch (const bad_dns_answer& why) {
  problem = why.what();
  return {};
}

} // namespace troupe
