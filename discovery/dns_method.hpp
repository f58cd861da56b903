// Discovery by DNS: periodically asks the system's name servers for A and AAAA records, or for SRV records.
#pragma once

#include "discovery/dns_answer.hpp"
#include "discovery/pause.hpp"
#include "discovery/spec.hpp"
#include "raft/base/backoff.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <troupe/blocking_method.hpp>
#include <vector>

namespace troupe {

/// The result of one lookup: peers by record type. A type without a valid answer is missing.
using dns_findings = std::map<dns_type, std::vector<std::string>>;

/// The names to look up, in this order, as described in resolv.conf(5): with each search domain appended, and as it is.
/// The name as it is comes first if it has at least `ndots` dots. A name that ends in a dot is complete.
std::vector<std::string> dns_candidates(const std::string& name, const std::vector<std::string>& search,
                                        unsigned ndots);

/// Combines several lookups: a type without an answer keeps its last known peers.
class dns_view {
 public:
  /// Returns an empty list only if every one of the `asked` types had an answer. No value means that the peers are
  /// unknown.
  std::optional<std::vector<std::string>> learn(dns_findings found, const std::vector<dns_type>& asked);

 private:
  dns_findings known_;
};

/// NXDOMAIN and an empty answer mean that there are no peers; no answer, a refusal or a malformed reply mean nothing.
/// The hosts file is not used. A lookup takes up to 2 s for each unreachable name server, search domain and record
/// type.
class dns_method final : public blocking_method {
 public:
  dns_method(dns_query query, std::uint64_t seed);
  void run(const std::stop_token& stop, method_listener& listener) override;

 private:
  dns_findings look_up(const std::stop_token& stop, std::string& problem) const;

  dns_query query_;
  std::vector<dns_type> types_;
  dns_view view_;
  raft::backoff backoff_;
};

} // namespace troupe
