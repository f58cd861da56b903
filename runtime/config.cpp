#include "actors/caf_io.hpp"
#include "runtime/message_types.hpp"
#include "runtime/transport/network_registry.hpp"

#include <caf/io/middleman.hpp>

#include <troupe/config.hpp>

namespace troupe {

config::config() : networks_(std::make_shared<network_registry>()) {
  trace::turn_on_from_environment();
  load<caf::io::middleman>();
  compat::set_word(*this, "scheduler.policy", "sharing");
  compat::set(*this, "scheduler.max-threads", std::size_t{1});
  // An actor that gets messages faster than it handles them must not keep the worker thread from the heartbeats.
  compat::set(*this, "scheduler.max-throughput", std::size_t{300});
  compat::set(*this, "middleman.workers", std::size_t{0});
  // CAF's own timeout would also fail connections that are being established. The transport detects silent connections.
  compat::set(*this, "middleman.heartbeat-interval", caf::timespan{std::chrono::milliseconds{200}});
  compat::set(*this, "middleman.connection-timeout", compat::no_connection_timeout);
  register_message_types(*this);
}

} // namespace troupe
