// Runs the real kubectl, for commands that need no cluster.
#pragma once

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace troupe::testing {

/// The program that TROUPE_KUBECTL names, or the installed one. If there is none, prints so and returns an empty
/// string; a test that needs it must then return.
std::string find_kubectl();

/// Runs kubectl with these arguments and returns its output. It uses no cluster unless the arguments name one. Throws
/// with its error output if it fails.
std::string kubectl(const std::vector<std::string>& words);
/// The same for output that consists of one or more JSON documents.
std::vector<nlohmann::json> kubectl_json(const std::vector<std::string>& words);

} // namespace troupe::testing
