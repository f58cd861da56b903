#include "runtime/client.hpp"

#include "actors/cluster/client_links.hpp"
#include "actors/frontend/proxy.hpp"
#include "raft/base/host_port.hpp"
#include "runtime/transport/transport_links.hpp"

#include <future>
#include <memory>
#include <random>
#include <utility>

namespace troupe {
namespace {

/// Has the fronts hand on what they hold, then waits for the proxy, on behalf of a thread.
class drain_waiter : public caf::event_based_actor {
 public:
  drain_waiter(caf::actor_config& config, std::vector<caf::actor> fronts, proxy_handle proxy,
               std::chrono::milliseconds timeout, std::shared_ptr<std::promise<void>> signal)
      : caf::event_based_actor(config), fronts_(std::move(fronts)), proxy_(std::move(proxy)), timeout_(timeout),
        signal_(std::move(signal)) {}

  caf::behavior make_behavior() override {
    holding_ = fronts_.size();
    if (holding_ == 0) drain();
    const auto handed_on = [this] {
      if (--holding_ == 0) drain();
    };
    for (const auto& front : fronts_)
      request(caf::actor_cast<drainable_front>(front), timeout_, drain_front{})
          .then([handed_on](const front_drained&) { handed_on(); }, [handed_on](const caf::error&) { handed_on(); });
    return {};
  }
  void on_exit() override {
    fronts_.clear();
    proxy_ = nullptr;
  }

 private:
  void drain() {
    request(proxy_, timeout_, drain_proxy{})
        .then([this](const proxy_drained&) { signal_->set_value(); },
              [this](const caf::error&) { signal_->set_value(); });
  }

  std::vector<caf::actor> fronts_;
  std::size_t holding_ = 0;
  proxy_handle proxy_;
  std::chrono::milliseconds timeout_;
  std::shared_ptr<std::promise<void>> signal_;
};

host_port parse_endpoint(const std::string& text) try { return parse_host_port(text); } catch (const bad_address& e) {
  throw startup_error(std::string{"an endpoint of the client: "} + e.what());
}

std::uint64_t random_seed() {
  std::random_device device;
  return (std::uint64_t{device()} << 32) | device();
}

} // namespace

client::client(caf::actor_system& system, const client_options& options, link_factory_ptr factory)
    : system_(&system), request_timeout_(options.request_timeout), drain_timeout_(options.drain_timeout) {
  proxy_options settings;
  settings.max_pending = options.max_pending;
  settings.max_pending_bytes = options.max_pending_bytes;
  settings.default_timeout = options.request_timeout;
  proxy_ = system.spawn<troupe::proxy>(settings);
  links_ = caf::actor_cast<caf::actor>(
      system.spawn<client_links>(options.endpoints, std::move(factory), random_seed(), proxy_));
  // A proxy whose links failed would let every request wait for its deadline.
  caf::actor_cast<caf::abstract_actor*>(links_)->attach_functor([proxy = proxy_.address()](const caf::error& reason) {
    if (compat::is_orderly(reason)) return;
    if (const auto still = caf::actor_cast<caf::actor>(proxy)) caf::anon_send(still, caf::exit_msg{{}, reason});
  });
}

client::client(client&& other) noexcept
    : system_(other.system_), request_timeout_(other.request_timeout_), drain_timeout_(other.drain_timeout_),
      proxy_(std::exchange(other.proxy_, nullptr)), links_(std::exchange(other.links_, nullptr)),
      fronts_(std::exchange(other.fronts_, {})) {}

client& client::operator=(client&& other) noexcept {
  if (this == &other) return *this;
  end();
  system_ = other.system_;
  request_timeout_ = other.request_timeout_;
  drain_timeout_ = other.drain_timeout_;
  proxy_ = std::exchange(other.proxy_, nullptr);
  links_ = std::exchange(other.links_, nullptr);
  fronts_ = std::exchange(other.fronts_, {});
  return *this;
}

client::~client() { end(); }

void client::stop() {
  if (!links_) return;
  const auto signal = std::make_shared<std::promise<void>>();
  std::vector<caf::actor> fronts;
  for (const auto& [name, front] : fronts_) fronts.push_back(front);
  system_->spawn<drain_waiter>(std::move(fronts), proxy_, drain_timeout_, signal);
  signal->get_future().wait();
  end();
}

/// The proxy's end answers what is unanswered: every front watches it. The fronts end with their last handle.
void client::end() {
  if (!links_) return;
  caf::anon_send_exit(links_, caf::exit_reason::user_shutdown);
  caf::anon_send_exit(proxy_, caf::exit_reason::user_shutdown);
  links_ = nullptr;
  fronts_.clear();
}

client spawn_client(caf::actor_system& system, client_options options) {
  bool elsewhere = options.insecure;
  for (auto& endpoint : options.endpoints) {
    const auto where = parse_endpoint(endpoint);
    endpoint = to_string(where);
    elsewhere = elsewhere || !net::is_loopback(where.host);
  }
  auto transport =
      make_transport(system, options.transport, net::dial_policy_of(options.transport.tls.has_value(), elsewhere));
  auto started = spawn_client(system, std::move(options), std::make_shared<transport_links>(transport));
  make_reachable(*transport, started.proxy());
  return started;
}

client spawn_client(caf::actor_system& system, client_options options, link_factory_ptr factory) {
  if (options.endpoints.empty()) throw startup_error("a client needs the address of at least one node");
  return client{system, options, std::move(factory)};
}

} // namespace troupe
