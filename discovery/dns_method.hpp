// Discovery by DNS: asks the system's name servers for A and AAAA, or for SRV records, again and again.
#pragma once

#include "discovery/blocking_method.hpp"
#include "discovery/dns_answer.hpp"
#include "discovery/pause.hpp"
#include "discovery/spec.hpp"
#include "raft/base/backoff.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// What one lookup found: peers by record type. A type that nobody could tell about is missing.
using dns_findings = std::map<dns_type, std::vector<std::string>>;

/// The names to ask for, in this order, as resolv.conf(5) has it: with each of the search domains behind it, and as it
/// is, which comes first if it has `ndots` dots. A name that ends in a dot is whole.
std::vector<std::string> dns_candidates(const std::string& name, const std::vector<std::string>& search,
                                        unsigned ndots);

/// What several lookups say together: a type that could not be asked for keeps what was known of it.
class dns_view {
 public:
  /// Nobody is there only if every one of the `asked` types was told about. Nothing: cannot tell.
  std::optional<std::vector<std::string>> learn(dns_findings found, const std::vector<dns_type>& asked);

 private:
  dns_findings known_;
};

/// NXDOMAIN and an empty answer mean that nobody is there; silence, a refusal or a broken reply mean nothing. The hosts
/// file is not looked at. A lookup takes up to 2 s for each dead name server, search domain and record type.
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
