// Static discovery: a fixed list of addresses.
//
//   [reporting] -- report_peers --> [reporting]       (reports once at its start, too)
#pragma once

#include "discovery/spec.hpp"

#include <troupe/discovery.hpp>
#include <vector>

namespace troupe {

class static_source : public peer_source {
 public:
  explicit static_source(const static_list& list);
  std::string name() const override { return "static"; }
  discovery_handle spawn(caf::actor_system& system, peers_listener listener) override;

 private:
  std::vector<std::string> addresses_;
};

} // namespace troupe
