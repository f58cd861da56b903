// Where the Kubernetes API is, and what to show there.
#pragma once

#include "discovery/kubernetes_view.hpp"
#include "discovery/spec.hpp"

#include <filesystem>
#include <functional>
#include <string>

namespace troupe {

struct kubernetes_access {
  /// https://host:port
  std::string server;
  /// A folder with token, ca.crt and, perhaps, namespace.
  std::filesystem::path secrets;
};

/// From the specification, or from what a pod's environment says. `variable` gives an environment variable, or null.
/// Throws bad_discovery where neither does.
kubernetes_access find_kubernetes(const kubernetes_query& query,
                                  const std::function<const char*(const char*)>& variable);

/// The path and the question of a list of what `query` wants.
std::string kubernetes_path(const kubernetes_query& query, const std::string& name_space);

/// The text of one of the secrets, without white space around it; it is read each time, as tokens are replaced. Throws
/// bad_kubernetes_answer if it cannot be read, or cannot stand in a header.
std::string read_secret(const std::filesystem::path& file);

/// For a part of a URL.
std::string url_encoded(const std::string& text);

} // namespace troupe
