// Address and credentials of the Kubernetes API.
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
  /// A folder with token, ca.crt and optionally namespace.
  std::filesystem::path secrets;
};

/// Takes the access from the specification, or from the environment of a pod. `variable` returns an environment
/// variable, or null. Throws bad_discovery if neither has it.
kubernetes_access find_kubernetes(const kubernetes_query& query,
                                  const std::function<const char*(const char*)>& variable);

/// The path and the query string for listing the objects of `query`.
std::string kubernetes_path(const kubernetes_query& query, const std::string& name_space);

/// The content of a secret file without surrounding white space. It is read each time, because tokens are replaced.
/// Throws bad_kubernetes_answer if it cannot be read or is not valid in a header.
std::string read_secret(const std::filesystem::path& file);

/// Percent-encodes a part of a URL.
std::string url_encoded(const std::string& text);

} // namespace troupe
