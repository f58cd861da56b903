#include "actors/peer_link.hpp"

#include "actors/log.hpp"
#include "services/printable.hpp"

#include <algorithm>
#include <utility>

namespace troupe {
namespace {

using namespace std::chrono_literals;

/// A connector gives up by itself before this; it only guards against one that does not.
constexpr auto dial_timeout = 10s;
constexpr auto first_hello_timeout = 1s;
/// A link that was good is not given up because a busy peer is late once.
constexpr auto repeated_hello_timeout = 3s;
constexpr unsigned max_silences = 2;
constexpr auto hello_interval = 2s;
constexpr raft::duration backoff_min = 50ms;
constexpr raft::duration backoff_max = 1s;
constexpr unsigned backoff_doublings = 5;

} // namespace

bool plausible_address(const std::string& address) {
  constexpr std::size_t longest = 300;
  const auto graphic = [](char c) { return c > 0x20 && c < 0x7f; };
  return !address.empty() && address.size() <= longest && std::all_of(address.begin(), address.end(), graphic);
}

std::string objection_to(const hello& peer, const hello& self) {
  if (peer.protocol != self.protocol)
    return "speaks protocol " + std::to_string(peer.protocol) + ", this node " + std::to_string(self.protocol);
  if (!peer.node) return "has no node id";
  if (!plausible_address(peer.address)) return "has no usable address";
  if (peer.node == self.node && peer.incarnation != self.incarnation)
    return "has this node's id " + to_string(peer.node) + ": one data directory is a copy of the other";
  const bool both_formed = peer.state == membership_state::formed && self.state == membership_state::formed;
  if (both_formed && peer.cluster != self.cluster)
    return "node " + to_string(peer.node) + " belongs to cluster " + to_string(peer.cluster) + ", this node to " +
           to_string(self.cluster);
  return {};
}

peer_link::peer_link(caf::actor_config& config, std::string address, hello self, link_factory_ptr factory,
                     std::uint64_t seed, links_handle links)
    : peer_link_handle::base(config), address_(std::move(address)), self_(std::move(self)),
      factory_(std::move(factory)), random_(seed), links_(std::move(links)) {
  set_down_handler([this](const caf::down_msg& m) {
    if (endpoint_ && m.source == endpoint_.address()) lost("the connection broke");
  });
}

peer_link_handle::behavior_type peer_link::make_behavior() {
  connector_ = factory_->make_connector(system(), address_);
  start_dialing();
  return {
      [this](const identity_changed& m) {
        self_ = m.self;
        if (phase_ != phase::up) return;
        ask_again_ = asking_;
        if (!asking_) greet();
      },
      [this](const timer& m) {
        if (m.generation != generation_) return;
        if (phase_ == phase::waiting)
          start_dialing();
        else if (phase_ == phase::up && !asking_)
          greet();
      },
  };
}

void peer_link::on_exit() {
  if (connector_) anon_send_exit(connector_, caf::exit_reason::user_shutdown);
  connector_ = nullptr;
  endpoint_ = nullptr;
  links_ = nullptr;
}

void peer_link::start_dialing() {
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

void peer_link::greet() {
  asking_ = true;
  ask_again_ = false;
  const auto timeout = phase_ == phase::up ? repeated_hello_timeout : first_hello_timeout;
  request(endpoint_, timeout, self_)
      .then(
          [this, attempt = attempt_](const hello& answer) {
            if (attempt == attempt_) answered(answer);
          },
          [this, attempt = attempt_](const caf::error& e) {
            if (attempt == attempt_) unanswered(e);
          });
}

void peer_link::answered(const hello& answer) {
  asking_ = false;
  silences_ = 0;
  const bool ourselves = answer.node == self_.node && answer.incarnation == self_.incarnation;
  peer_ = answer;
  if (ourselves) {
    let_go();
    phase_ = phase::self;
    return report(link_report::status::self);
  }
  if (auto problem = objection(answer); !problem.empty()) {
    if (problem != complaint_) log().error("no link to {}: {}", address_, problem);
    complaint_ = problem;
    return lost(problem, link_report::status::refused);
  }
  phase_ = phase::up;
  failures_ = 0;
  complaint_.clear();
  report(link_report::status::up);
  if (ask_again_) return greet();
  arm(hello_interval);
}

void peer_link::unanswered(const caf::error& why) {
  asking_ = false;
  if (phase_ == phase::up && ++silences_ < max_silences) return greet();
  lost("no answer: " + compat::to_text(system(), why));
}

std::string peer_link::objection(const hello& answer) const {
  if (auto own = objection_to(answer, self_); !own.empty()) return own;
  return answer.refusal.empty() ? std::string{} : "refused by it: " + services::printable(answer.refusal);
}

void peer_link::lost(const std::string& problem, link_report::status status) {
  let_go();
  phase_ = phase::waiting;
  report(status, problem);
  const auto ceiling = std::min(backoff_max, backoff_min * (1 << std::min(failures_++, backoff_doublings)));
  arm(random_.between(ceiling / 2, ceiling));
}

void peer_link::report(link_report::status status, const std::string& problem) {
  link_report message;
  message.address = address_;
  message.now = status;
  message.problem = problem;
  if (status != link_report::status::down) message.peer = peer_;
  if (status == link_report::status::up) message.endpoint = endpoint_;
  send(links_, std::move(message));
}

/// Nothing that was asked counts any more.
void peer_link::let_go() {
  ++attempt_;
  asking_ = ask_again_ = false;
  silences_ = 0;
  if (!endpoint_) return;
  demonitor(endpoint_.address());
  endpoint_ = nullptr;
}

void peer_link::arm(raft::duration wait) { delayed_send(this, caf::timespan{wait}, timer{++generation_}); }

} // namespace troupe
