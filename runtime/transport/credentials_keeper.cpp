#include "runtime/transport/credentials_keeper.hpp"

#include <utility>

namespace troupe::net {
namespace {

constexpr std::size_t shortest_secret = 16;
constexpr std::chrono::minutes warn_again{1};

std::string read_secret(const std::filesystem::path& file) {
  auto secret = read_private_file("the cluster secret", file);
  const auto last = secret.find_last_not_of(" \t\r\n");
  secret.resize(last == std::string::npos ? 0 : last + 1);
  if (secret.size() < shortest_secret)
    throw std::runtime_error("the cluster secret in " + file.string() + " is shorter than " +
                             std::to_string(shortest_secret) + " bytes");
  return secret;
}

} // namespace

credentials_keeper::credentials_keeper(credentials_files files) : files_(std::move(files)) {
  if (!files_.secret.empty()) now_.secret = read_secret(files_.secret);
  if (!files_.tls) return;
  seen_ = fingerprint(files_.tls->files);
  now_.tls = tls_context::load(*files_.tls);
}

credentials credentials_keeper::current() const {
  const std::lock_guard lock(mutex_);
  return now_;
}

void credentials_keeper::look(steady_time now, const std::function<void(const std::string&)>& warn) {
  if (!files_.tls) return;
  const auto print = fingerprint(files_.tls->files);
  if (print == seen_ && !(failing_ && now - warned_at_ >= warn_again)) return;
  const auto say = [&](const std::string& what) {
    if (warn) warn(what);
  };
  // Taken before the files are read: a change in between is seen the next time.
  seen_ = print;
  try {
    auto renewed = tls_context::load(*files_.tls);
    failing_ = false;
    say("TLS: took over renewed files: " + renewed->description());
    const std::lock_guard lock(mutex_);
    now_.tls = std::move(renewed);
  } catch (const std::exception& e) {
    failing_ = true;
    warned_at_ = now;
    say(std::string{"TLS: the changed files are unusable, the old ones stay in use: "} + e.what());
  }
}

} // namespace troupe::net
