#include "runtime/transport/credentials_keeper.hpp"

#include <algorithm>
#include <utility>

namespace troupe::net {
namespace {

constexpr std::size_t shortest_secret = 16;
constexpr std::chrono::minutes warn_again{1};
constexpr std::chrono::hours warn_of_expiry_again{24};
constexpr std::chrono::hours week{7 * 24};

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

tls_options credentials_keeper::tls_to_load() const {
  auto options = *files_.tls;
  const std::lock_guard lock(mutex_);
  options.accepts = options.accepts || accepts_;
  return options;
}

void credentials_keeper::begin_to_accept() {
  {
    const std::lock_guard lock(mutex_);
    accepts_ = true;
  }
  if (!files_.tls) return;
  auto again = tls_context::load(tls_to_load());
  const std::lock_guard lock(mutex_);
  now_.tls = std::move(again);
}

std::optional<std::chrono::system_clock::time_point> credentials_keeper::certificate_end() const {
  const auto tls = current().tls;
  return tls ? std::optional{tls->valid().end} : std::nullopt;
}

void credentials_keeper::poll(steady_time now, const listener& warn) {
  if (!files_.tls) return;
  const listener say = [&](const std::string& what) {
    if (warn) warn(what);
  };
  renew(now, say);
  if (!ended_) warn_of_expiry(now, say);
}

void credentials_keeper::renew(steady_time now, const listener& say) {
  const auto print = fingerprint(files_.tls->files);
  if (ended_) return; // the process may be ending, and OpenSSL may already be cleaned up
  if (print == seen_ && !(failing_ && now - warned_at_ >= warn_again)) return;
  // The fingerprint was taken before the files are read, so the next call sees a change in between.
  seen_ = print;
  try {
    auto renewed = tls_context::load(tls_to_load());
    failing_ = false;
    expiry_warned_at_.reset();
    const auto what = renewed->description();
    {
      const std::lock_guard lock(mutex_);
      now_.tls = std::move(renewed);
    }
    say("TLS: took over renewed files: " + what); // only after they are in use
  } catch (const std::exception& e) {
    failing_ = true;
    warned_at_ = now;
    say(std::string{"TLS: the changed files are unusable, the old ones stay in use: "} + e.what());
  }
}

void credentials_keeper::warn_of_expiry(steady_time now, const listener& say) {
  using std::chrono::hours;
  if (expiry_warned_at_ && now - *expiry_warned_at_ < warn_of_expiry_again) return;
  const auto tls = current().tls;
  const auto [begin, end] = tls->valid();
  const auto left = end - std::chrono::system_clock::now();
  const auto early = files_.expiry_warning ? *files_.expiry_warning
                                           : std::min<std::chrono::system_clock::duration>(week, (end - begin) / 3);
  if (left > early) return;
  expiry_warned_at_ = now;
  const auto whole = std::chrono::duration_cast<hours>(left).count();
  const auto when = left.count() < 0 ? std::string{"has expired"}
                    : whole < 48     ? "expires in " + std::to_string(whole) + " hours"
                                     : "expires in " + std::to_string(whole / 24) + " days";
  say("TLS: this process's certificate " + when + ": " + tls->description());
}

} // namespace troupe::net
