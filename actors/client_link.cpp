#include "actors/client_link.hpp"

#include <algorithm>
#include <utility>

namespace troupe {
namespace {

using namespace std::chrono_literals;

/// A connector gives up by itself before this; it only guards against one that does not.
constexpr auto dial_timeout = 10s;
constexpr auto hello_timeout = 3s;
constexpr auto hello_interval = 2s;
constexpr raft::duration backoff_min = 50ms;
constexpr raft::duration backoff_max = 1s;
constexpr unsigned backoff_doublings = 5;

} // namespace

client_link::client_link(caf::actor_config& config, std::string address, link_factory_ptr factory, std::uint64_t seed,
                         client_link_listener owner)
    : client_link_handle::base(config), address_(std::move(address)), factory_(std::move(factory)), random_(seed),
      owner_(std::move(owner)) {
  set_down_handler([this](const caf::down_msg& m) {
    if (endpoint_ && m.source == endpoint_.address()) lost("the connection broke");
  });
}

client_link_handle::behavior_type client_link::make_behavior() {
  connector_ = factory_->make_connector(system(), address_);
  start_dialing();
  return {
      [this](const timer& m) {
        if (m.generation != generation_) return;
        if (phase_ == phase::waiting) start_dialing();
        if (phase_ == phase::up) greet();
      },
  };
}

void client_link::on_exit() {
  anon_send_exit(connector_, caf::exit_reason::user_shutdown);
  connector_ = nullptr;
  endpoint_ = nullptr;
  owner_ = nullptr;
}

void client_link::start_dialing() {
  phase_ = phase::dialing;
  const auto attempt = ++attempt_;
  request(connector_, dial_timeout, dial{})
      .then(
          [this, attempt](const dialed& found) {
            if (attempt != attempt_) return;
            endpoint_ = found.endpoint;
            // Comes back at once if the connection is gone already.
            monitor(endpoint_);
            phase_ = phase::greeting;
            greet();
          },
          [this, attempt](const caf::error& e) {
            if (attempt == attempt_) lost("cannot connect: " + compat::to_text(system(), e));
          });
}

void client_link::greet() {
  request(endpoint_, hello_timeout, client_hello{})
      .then(
          [this, attempt = attempt_](const client_welcome& answer) {
            if (attempt == attempt_) answered(answer);
          },
          [this, attempt = attempt_](const caf::error& e) {
            if (attempt == attempt_) lost("no answer: " + compat::to_text(system(), e));
          });
}

void client_link::answered(const client_welcome& answer) {
  if (!answer.refusal.empty()) return lost("refused: " + answer.refusal);
  if (!answer.node || !answer.cluster) return lost("not part of a cluster yet");
  if (phase_ == phase::up && answer.node != node_) return lost("another node answers there now");
  phase_ = phase::up;
  node_ = answer.node;
  failures_ = 0;
  send(owner_, client_link_report{address_, answer, endpoint_, {}});
  arm(hello_interval);
}

void client_link::lost(const std::string& problem) {
  ++attempt_; // nothing that was asked counts any more
  if (endpoint_) demonitor(endpoint_.address());
  endpoint_ = nullptr;
  phase_ = phase::waiting;
  send(owner_, client_link_report{address_, std::nullopt, {}, problem});
  const auto ceiling = std::min(backoff_max, backoff_min * (1 << std::min(failures_++, backoff_doublings)));
  arm(random_.between(ceiling / 2, ceiling));
}

void client_link::arm(raft::duration wait) { delayed_send(this, caf::timespan{wait}, timer{++generation_}); }

} // namespace troupe
