// The real kubectl, for what it does without a cluster.
#pragma once

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace troupe::testing {

/// The program: what TROUPE_KUBECTL names, or the one that is installed. Empty, and said so, if there is none: a test
/// that needs it ends.
std::string find_kubectl();

/// What it writes with these words, and no cluster to ask but one that they name. Throws with what it complains of.
std::string kubectl(const std::vector<std::string>& words);
/// The same, of output that is JSON, one document or several.
std::vector<nlohmann::json> kubectl_json(const std::vector<std::string>& words);

} // namespace troupe::testing
