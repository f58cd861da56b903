#include "runtime/client_access.hpp"

#include "actors/cluster/client_links.hpp"
#include "actors/frontend/proxy.hpp"
#include "runtime/transport/transport_links.hpp"

#include <future>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <troupe/address.hpp>
#include <utility>

namespace troupe {
namespace {

/// Drains the fronts and then the proxy, on behalf of a thread that waits for `signal`.
class drain_waiter : public compat::untyped_base {
 public:
  drain_waiter(caf::actor_config& config, std::vector<caf::actor> fronts, proxy_handle proxy,
               std::chrono::milliseconds timeout, std::shared_ptr<std::promise<void>> signal)
      : compat::untyped_base(config), fronts_(std::move(fronts)), proxy_(std::move(proxy)), timeout_(timeout),
        signal_(std::move(signal)) {}

  caf::behavior make_behavior() override {
    holding_ = fronts_.size();
    if (holding_ == 0) drain();
    const auto on_drained = [this] {
      if (--holding_ == 0) drain();
    };
    for (const auto& front : fronts_)
      request(caf::actor_cast<drainable_front>(front), timeout_, drain_front{})
          .then([on_drained](const front_drained&) { on_drained(); },
                [on_drained](const caf::error&) { on_drained(); });
    return {};
  }
  void on_end() override {
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
  /// The number of fronts that are not drained yet.
  std::size_t holding_ = 0;
  proxy_handle proxy_;
  std::chrono::milliseconds timeout_;
  std::shared_ptr<std::promise<void>> signal_;
};

host_port parse_endpoint(const std::string& text) try { return parse_host_port(text); } catch (const bad_address& e) {
  throw startup_error(std::string{"invalid client endpoint: "} + e.what());
}

std::uint64_t random_seed() {
  std::random_device device;
  return (std::uint64_t{device()} << 32) | device();
}

} // namespace

struct client::parts {
  caf::actor_system& system;
  std::chrono::milliseconds request_timeout;
  std::chrono::milliseconds drain_timeout;
  proxy_handle proxy;
  /// Null after the client was stopped.
  caf::actor links;
  /// By the names of their services.
  std::map<std::string, caf::actor, std::less<>> fronts;

  /// Before the proxy ends, it answers all pending requests. The fronts monitor it and answer the rest. A front ends
  /// when its last handle is gone.
  void end() {
    if (!links) return;
    compat::anon_send_exit(links, caf::exit_reason::user_shutdown);
    compat::anon_send_exit(proxy, caf::exit_reason::user_shutdown);
    links = nullptr;
    fronts.clear();
  }
};

client::client(std::unique_ptr<parts> inside) : parts_(std::move(inside)) {}
client::client(client&&) noexcept = default;
client& client::operator=(client&& other) noexcept {
  if (this == &other) return *this;
  if (parts_) parts_->end();
  parts_ = std::move(other.parts_);
  return *this;
}
client::~client() {
  if (parts_) parts_->end();
}

const caf::actor& client::front(std::string_view service, detail::front_handlers_maker handlers) {
  auto& front = parts_->fronts[std::string{service}];
  if (!front)
    front = detail::spawn_front(parts_->system, service, handlers, caf::actor_cast<caf::actor>(parts_->proxy),
                                parts_->request_timeout);
  return front;
}

void client::stop() {
  if (!parts_ || !parts_->links) return;
  const auto signal = std::make_shared<std::promise<void>>();
  std::vector<caf::actor> fronts;
  for (const auto& [name, front] : parts_->fronts) fronts.push_back(front);
  parts_->system.spawn<drain_waiter>(std::move(fronts), parts_->proxy, parts_->drain_timeout, signal);
  signal->get_future().wait();
  parts_->end();
}

client client_access::spawn(caf::actor_system& system, const client_options& options, link_factory_ptr factory) {
  if (options.endpoints.empty()) throw startup_error("a client needs the address of at least one node");
  proxy_options settings;
  settings.max_pending = options.max_pending;
  settings.max_pending_bytes = options.max_pending_bytes;
  settings.default_timeout = options.request_timeout;
  const proxy_handle proxy = system.spawn<troupe::proxy>(settings);
  const auto links = caf::actor_cast<caf::actor>(
      system.spawn<client_links>(options.endpoints, std::move(factory), random_seed(), proxy));
  // Ends the proxy when its links fail: without links, every request would wait for its deadline.
  caf::actor_cast<caf::abstract_actor*>(links)->attach_functor([address = proxy.address()](const caf::error& reason) {
    if (is_orderly(reason)) return;
    if (const auto running = caf::actor_cast<caf::actor>(address))
      compat::anon_send(running, caf::exit_msg{{}, reason});
  });
  // NOLINTNEXTLINE(modernize-make-unique): with clang 14, it cannot fill an aggregate
  return client{std::unique_ptr<client::parts>{
      new client::parts{system, options.request_timeout, options.drain_timeout, proxy, links, {}}}};
}

const proxy_handle& client_access::proxy(const client& of) { return of.parts_->proxy; }

client spawn_client(caf::actor_system& system, client_options options) {
  bool dials_others = options.insecure;
  for (auto& endpoint : options.endpoints) {
    const auto where = parse_endpoint(endpoint);
    endpoint = to_string(where);
    dials_others = dials_others || !is_loopback(where.host);
  }
  auto transport =
      make_transport(system, options.transport, net::dial_policy_of(options.transport.tls.has_value(), dials_others));
  auto started = client_access::spawn(system, options, std::make_shared<transport_links>(transport));
  make_reachable(*transport, client_access::proxy(started));
  return started;
}

} // namespace troupe
