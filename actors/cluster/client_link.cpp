#include "actors/cluster/client_link.hpp"

#include <utility>

namespace troupe {
namespace {

using namespace std::chrono_literals;

/// The link notices a silent endpoint after hello_interval plus repeated_hello_timeout at most.
constexpr link_options client_link_options{
    .first_hello_timeout = 3s,
    .repeated_hello_timeout = 3s,
    .max_silences = 1,
    .hello_interval = 2s,
};

} // namespace

client_link::client_link(caf::actor_config& config, std::string address, link_factory_ptr factory, std::uint64_t seed,
                         client_link_listener owner)
    : compat::typed_base<client_link_handle>(config),
      link_(this, std::move(address), std::move(factory), client_link_options, seed), owner_(std::move(owner)) {}

client_link_handle::behavior_type client_link::make_behavior() {
  link_.dial();
  return {[this](const timer& m) { link_.on_timer(m); }};
}

void client_link::on_end() {
  link_.close();
  owner_ = nullptr;
}

link_judgement client_link::judge(const client_welcome& given) {
  constexpr auto refused = link_report::status::refused;
  if (!given.refusal.empty()) return {refused, "refused: " + given.refusal};
  if (!given.node || !given.cluster) return {refused, "not part of a cluster yet"};
  if (link_.up() && given.node != welcome_.node) return {refused, "another node answers there now"};
  welcome_ = given;
  return {};
}

void client_link::report(link_report::status status, const std::string& problem) {
  if (status == link_report::status::up)
    send(owner_, client_link_report{link_.address(), welcome_, link_.endpoint(), {}});
  else
    send(owner_, client_link_report{link_.address(), std::nullopt, {}, problem});
}

} // namespace troupe
