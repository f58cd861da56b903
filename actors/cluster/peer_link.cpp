#include "actors/cluster/peer_link.hpp"

#include "raft/base/address.hpp"
#include "raft/membership/introductions.hpp"

#include <algorithm>
#include <troupe/printable.hpp>
#include <utility>

namespace troupe {
namespace {

using namespace std::chrono_literals;

constexpr auto first_hello_timeout = 1s;
/// A working link tolerates one late answer of a busy peer. The link notices a silent endpoint after hello_interval
/// plus max_silences of these timeouts at most, which is 3.5 s.
constexpr auto repeated_hello_timeout = 1500ms;
constexpr unsigned max_silences = 2;
constexpr auto hello_interval = 500ms;
constexpr std::size_t max_refusal = 300;
/// An address that has never answered may be wrong, or one of very many.
constexpr auto longest_pause_unanswered = 30s;
/// Minimum time between two attempts when a peer's dial ends a pause early.
constexpr auto min_redial_interval = 500ms;

} // namespace

bool plausible_address(const std::string& address) {
  constexpr std::size_t longest = 300;
  const auto graphic = [](char c) { return c > 0x20 && c < 0x7f; };
  return !address.empty() && address.size() <= longest && std::all_of(address.begin(), address.end(), graphic);
}

raft::sighted_peer sighted(const hello& peer) {
  return {peer.node, peer.state, peer.cluster, peer.address, peer.backup, peer.introduces};
}

std::string objection_to(const hello& peer, const hello& self) {
  if (peer.protocol != self.protocol)
    return "speaks protocol " + std::to_string(peer.protocol) + ", but this node speaks protocol " +
           std::to_string(self.protocol);
  if (!peer.node) return "has no node id";
  if (raft::address_problem(peer.address)) return "has no usable address";
  if (peer.introduces.size() > raft::max_introduced) return "introduces too many nodes";
  if (peer.node == self.node && peer.incarnation != self.incarnation)
    return "has this node's id " + to_string(peer.node) + ": one data directory is a copy of the other";
  const bool both_formed = peer.state == membership_state::formed && self.state == membership_state::formed;
  if (both_formed && peer.cluster != self.cluster)
    return "node " + to_string(peer.node) + " belongs to cluster " + to_string(peer.cluster) +
           ", but this node belongs to cluster " + to_string(self.cluster);
  return {};
}

peer_link::peer_link(caf::actor_config& config, std::string address, hello self, link_factory_ptr factory,
                     std::uint64_t seed, links_handle links)
    : compat::typed_base<peer_link_handle>(config),
      line_(std::move(address), std::move(factory), seed, longest_pause_unanswered), self_(std::move(self)),
      links_(std::move(links)) {
  set_down_handler([this](const caf::down_msg& m) {
    if (line_.broken_by(m)) lost("the connection broke");
  });
}

peer_link_handle::behavior_type peer_link::make_behavior() {
  start_dialing();
  return {
      [this](const identity_changed& m) {
        self_ = m.self;
        if (phase_ != phase::up) return;
        ask_again_ = asking_;
        if (!asking_) greet();
      },
      [this](const timer& m) {
        if (!line_.fired(m)) return;
        if (phase_ == phase::waiting)
          start_dialing();
        else if (phase_ == phase::up && !asking_)
          greet();
      },
      [this](const dial&) { redial_now(); },
  };
}

void peer_link::on_exit() {
  line_.close();
  links_ = nullptr;
}

void peer_link::start_dialing() {
  phase_ = phase::dialing;
  dialed_at_ = clock().now();
  line_.dial(
      this,
      [this] {
        phase_ = phase::greeting;
        greet();
      },
      [this](const std::string& problem) { lost(problem); });
}

/// A node at this address has dialed this node, so it is probably reachable now.
void peer_link::redial_now() {
  if (phase_ == phase::waiting && clock().now() - dialed_at_ >= min_redial_interval) start_dialing();
}

void peer_link::greet() {
  asking_ = true;
  ask_again_ = false;
  line_.ask<hello>(
      this, phase_ == phase::up ? repeated_hello_timeout : first_hello_timeout, self_,
      [this](const hello& answer) { answered(answer); }, [this](const std::string& problem) { unanswered(problem); });
}

void peer_link::answered(const hello& answer) {
  asking_ = false;
  silences_ = 0;
  const bool ourselves = answer.node == self_.node && answer.incarnation == self_.incarnation;
  peer_ = answer;
  if (ourselves) {
    reset();
    phase_ = phase::self;
    return report(link_report::status::self);
  }
  if (auto problem = objection(answer); !problem.empty()) return lost(problem, link_report::status::refused);
  phase_ = phase::up;
  line_.succeeded();
  report(link_report::status::up);
  if (ask_again_) return greet();
  line_.arm(this, hello_interval);
}

void peer_link::unanswered(const std::string& problem) {
  asking_ = false;
  if (phase_ == phase::up && ++silences_ < max_silences) return greet();
  if (phase_ == phase::up) line_.disconnect(this);
  lost(problem);
}

std::string peer_link::objection(const hello& answer) const {
  if (auto own = objection_to(answer, self_); !own.empty()) return own;
  return answer.refusal.empty() ? std::string{} : "refused by the peer: " + printable(answer.refusal, max_refusal);
}

void peer_link::lost(const std::string& problem, link_report::status status) {
  reset();
  phase_ = phase::waiting;
  report(status, problem);
  line_.pause(this);
}

void peer_link::report(link_report::status status, const std::string& problem) {
  link_report message;
  message.address = line_.address();
  message.now = status;
  message.problem = problem;
  if (status != link_report::status::down) message.peer = peer_;
  if (status == link_report::status::up) message.endpoint = line_.endpoint();
  send(links_, std::move(message));
}

void peer_link::reset() {
  asking_ = ask_again_ = false;
  silences_ = 0;
  line_.drop(this);
}

} // namespace troupe
