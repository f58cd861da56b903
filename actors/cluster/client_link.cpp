#include "actors/cluster/client_link.hpp"

#include <utility>

namespace troupe {
namespace {

using namespace std::chrono_literals;

/// The link notices a silent endpoint after the sum of both at most.
constexpr auto hello_timeout = 3s;
constexpr auto client_hello_interval = 2s;

} // namespace

client_link::client_link(caf::actor_config& config, std::string address, link_factory_ptr factory, std::uint64_t seed,
                         client_link_listener owner)
    : compat::typed_base<client_link_handle>(config), line_(std::move(address), std::move(factory), seed),
      owner_(std::move(owner)) {
  set_down_handler([this](const caf::down_msg& m) {
    if (line_.broken_by(m)) lost("the connection broke");
  });
}

client_link_handle::behavior_type client_link::make_behavior() {
  start_dialing();
  return {
      [this](const timer& m) {
        if (!line_.fired(m)) return;
        if (phase_ == phase::waiting)
          start_dialing();
        else if (phase_ == phase::up)
          greet();
      },
  };
}

void client_link::on_exit() {
  line_.close();
  owner_ = nullptr;
}

void client_link::start_dialing() {
  phase_ = phase::dialing;
  line_.dial(
      this,
      [this] {
        phase_ = phase::greeting;
        greet();
      },
      [this](const std::string& problem) { lost(problem); });
}

void client_link::greet() {
  line_.ask<client_welcome>(
      this, hello_timeout, client_hello{}, [this](const client_welcome& answer) { answered(answer); },
      [this](const std::string& problem) {
        if (phase_ == phase::up) line_.disconnect(this);
        lost(problem);
      });
}

void client_link::answered(const client_welcome& answer) {
  if (!answer.refusal.empty()) return lost("refused: " + answer.refusal);
  if (!answer.node || !answer.cluster) return lost("not part of a cluster yet");
  if (phase_ == phase::up && answer.node != node_) return lost("another node answers there now");
  phase_ = phase::up;
  node_ = answer.node;
  line_.succeeded();
  send(owner_, client_link_report{line_.address(), answer, line_.endpoint(), {}});
  line_.arm(this, client_hello_interval);
}

void client_link::lost(const std::string& problem) {
  line_.drop(this);
  phase_ = phase::waiting;
  send(owner_, client_link_report{line_.address(), std::nullopt, {}, problem});
  line_.pause(this);
}

} // namespace troupe
