#include "runtime/transport/transport_links.hpp"

#include "actors/caf_io.hpp"
#include "runtime/transport/caf_wire.hpp"
#include "runtime/transport/connector.hpp"
#include "runtime/transport/guarded_scribe.hpp"
#include "runtime/transport/network_registry.hpp"

#include <troupe/address.hpp>
#include <troupe/log.hpp>
#include <troupe/threads.hpp>
#include <utility>

namespace troupe {
namespace {

class failing_connector : public compat::typed_base<connector_handle> {
 public:
  failing_connector(caf::actor_config& config, std::string why)
      : compat::typed_base<connector_handle>(config), why_(std::move(why)) {}
  behavior_type make_behavior() override {
    return {
        [this](const dial&) -> caf::result<dialed> { return caf::make_error(caf::sec::cannot_connect_to_node, why_); },
        [](const disconnect&) {},
    };
  }
  const char* name() const override { return "failing_connector"; }

 private:
  std::string why_;
};

} // namespace

connector_handle transport_links::make_connector(caf::actor_system& system, const std::string& address) {
  try {
    auto where = parse_host_port(address);
    return system.spawn<connector>(std::move(where.host), where.port, transport_);
  } catch (const bad_address& e) {
    return system.spawn<failing_connector>(e.what());
  }
}

caf::timespan heartbeat_interval(caf::actor_system& system) {
  return caf::get_or(system.config(), compat::heartbeat_setting, caf::timespan{0});
}

std::shared_ptr<net::transport> make_transport(caf::actor_system& system, const transport_settings& settings,
                                               net::dial_policy dials) {
  const auto* made_with = dynamic_cast<const config*>(&system.config());
  if (!made_with || !system.has_middleman())
    throw std::runtime_error("the actor system must be created with a troupe::config or a class derived from it");
  net::transport_options options;
  options.guard.format = caf_format();
  options.guard.types = caf_message_types();
  options.dials = dials;
  options.files.secret = settings.cluster_secret_file;
  if (settings.tls)
    options.files.tls = net::tls_options{{settings.tls->cert, settings.tls->key, settings.tls->ca},
                                         settings.tls->cluster_name,
                                         settings.tls->allowed_names};
  options.guard.self = compat::encoded(system, system.node());
  if (settings.silence_limit) options.silence_limit = *settings.silence_limit;
  options.files.expiry_warning = settings.certificate_warning;
  const auto heartbeat = heartbeat_interval(system);
  if (heartbeat.count() <= 0 || heartbeat > options.silence_limit / 3)
    throw std::runtime_error("middleman.heartbeat-interval must be above 0 and at most a third of the " +
                             std::to_string(options.silence_limit.count()) +
                             " ms after which a silent connection is cut");
  options.warn = [](const std::string& text) { log().warn("{}", text); };
  options.system = made_with->networks().of(system, options);
  const thread_check check{settings.tls ? 2u : 1u};
  if (!check.objection().empty()) throw no_thread(check.objection());
  return std::make_shared<net::transport>(std::move(options));
}

void publish(caf::actor_system& system, net::transport& transport, std::uint16_t port,
             caf::strong_actor_ptr published) {
  const auto limit = transport.options().max_unsent_bytes;
  transport.accept([&system, limit, port, published = std::move(published)](net::open_connection connection) {
    net::serve(system, std::move(connection), limit, port, published);
  });
}

} // namespace troupe
