#include "discovery/kubernetes_access.hpp"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <iterator>

namespace troupe {
namespace {

constexpr auto pod_secrets = "/var/run/secrets/kubernetes.io/serviceaccount";

} // namespace

kubernetes_access find_kubernetes(const kubernetes_query& query,
                                  const std::function<const char*(const char*)>& variable) {
  kubernetes_access access{query.server, query.secrets.empty() ? pod_secrets : query.secrets};
  if (!access.server.empty()) return access;
  const auto value = [&](const char* name) {
    const auto* set = variable(name);
    return std::string{set ? set : ""};
  };
  auto host = value("KUBERNETES_SERVICE_HOST");
  const auto port = value("KUBERNETES_SERVICE_PORT");
  if (host.empty())
    throw bad_discovery(
        "k8s discovery: not running in a pod (KUBERNETES_SERVICE_HOST is not set); give server= and secrets=");
  if (host.find(':') != std::string::npos) host = '[' + host + ']';
  access.server = "https://" + host + ':' + (port.empty() ? "443" : port);
  return access;
}

std::string kubernetes_path(const kubernetes_query& query, const std::string& name_space) {
  const bool slices = !query.service.empty();
  const auto selector = slices ? "kubernetes.io/service-name=" + query.service : query.selector;
  return (slices ? "/apis/discovery.k8s.io/v1/namespaces/" : "/api/v1/namespaces/") + url_encoded(name_space) +
         (slices ? "/endpointslices" : "/pods") + "?labelSelector=" + url_encoded(selector);
}

std::string read_secret(const std::filesystem::path& file) {
  constexpr std::size_t longest = 64 * 1024;
  std::ifstream in{file, std::ios::binary};
  std::string text(longest, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  const auto blank = [](unsigned char c) { return std::isspace(c) != 0; };
  text.erase(text.begin(), std::find_if_not(text.begin(), text.end(), blank));
  text.erase(std::find_if_not(text.rbegin(), text.rend(), blank).base(), text.end());
  const auto graphic = [](char c) { return c > 0x20 && c < 0x7f; };
  if (text.empty() || !std::all_of(text.begin(), text.end(), graphic))
    throw bad_kubernetes_answer(file.string() + " cannot be read, or is empty or contains invalid characters");
  return text;
}

std::string url_encoded(const std::string& text) {
  constexpr char digits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
                       c == '.' || c == '_' || c == '~';
    if (plain)
      out += c;
    else
      out.append({'%', digits[byte >> 4], digits[byte & 15]});
  }
  return out;
}

} // namespace troupe
