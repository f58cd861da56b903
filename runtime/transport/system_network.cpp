#include "runtime/transport/system_network.hpp"

#include <algorithm>
#include <filesystem>

namespace troupe::net {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::seconds log_pace{1};

/// Does not follow links: Kubernetes renews files by changing a link, and a renewed file counts as the same file.
std::filesystem::path absolute_path(const std::filesystem::path& file) {
  if (file.empty()) return file;
  std::error_code failed;
  const auto place = std::filesystem::absolute(file, failed);
  return (failed ? file : place).lexically_normal();
}

/// Normalizes the paths so that they can be compared.
credentials_files normalized(credentials_files files) {
  files.secret = absolute_path(files.secret);
  files.expiry_warning.reset();
  if (!files.tls) return files;
  files.tls->files.cert = absolute_path(files.tls->files.cert);
  files.tls->files.key = absolute_path(files.tls->files.key);
  files.tls->files.ca = absolute_path(files.tls->files.ca);
  std::sort(files.tls->allowed_names.begin(), files.tls->allowed_names.end());
  return files;
}

bool same(const credentials_files& a, const credentials_files& b) {
  if (a.secret != b.secret || a.tls.has_value() != b.tls.has_value()) return false;
  if (!a.tls) return true;
  return a.tls->files.cert == b.tls->files.cert && a.tls->files.key == b.tls->files.key &&
         a.tls->files.ca == b.tls->files.ca && a.tls->cluster_name == b.tls->cluster_name &&
         a.tls->allowed_names == b.tls->allowed_names;
}

} // namespace

void rate_limited_log::note(const std::string& what) {
  const std::lock_guard lock(mutex_);
  const auto now = steady_clock::now();
  if (said_ && now - said_at_ < log_pace) {
    ++unsaid_;
    return;
  }
  said_ = true;
  said_at_ = now;
  const auto unsaid = std::exchange(unsaid_, 0);
  if (say_) say_(unsaid == 0 ? what : what + " (and " + std::to_string(unsaid) + " more like this)");
}

system_network::system_network(const network_limits& limits, const std::function<void(const std::string&)>& warn)
    : node_ids(limits.max_new_nodes, limits.new_node_interval), violations(warn), drops(warn), cuts(warn),
      most_(static_cast<std::ptrdiff_t>(limits.max_collected_bytes)) {
  flow->total = limits.max_unhandled_bytes;
  flow->most = limits.max_unhandled_bytes_per_connection;
}

std::shared_ptr<const realm> system_network::realm_of(const credentials_files& files, dial_policy dials) {
  auto wanted = normalized(files);
  const std::lock_guard lock(mutex_);
  std::erase_if(realms_, [](const auto& one) { return one.in_use.expired() && one.receivers.expired(); });
  auto made = std::make_shared<realm>();
  for (auto& known : realms_) {
    if (known.dials != dials || !same(known.files, wanted)) continue;
    if (auto found = known.in_use.lock()) return found;
    if (auto left = known.receivers.lock()) made->receivers = std::move(left);
    known.in_use = made;
    known.receivers = made->receivers;
    return made;
  }
  realms_.push_back({std::move(wanted), dials, made, made->receivers});
  return made;
}

bool system_network::take(std::ptrdiff_t bytes) {
  const bool allowed = (collected_ += bytes) <= most_ || bytes <= 0;
  if (!allowed) collected_ -= bytes;
  return allowed;
}

} // namespace troupe::net
