#include "actors/cluster/peer_link.hpp"

#include "raft/base/address.hpp"
#include "raft/membership/introductions.hpp"

#include <algorithm>
#include <troupe/printable.hpp>
#include <utility>

namespace troupe {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t max_refusal = 300;

/// A working link tolerates one late answer of a busy peer. The link notices a silent endpoint after hello_interval
/// plus max_silences of repeated_hello_timeout at most, which is 3.5 s.
constexpr link_options peer_link_options{
    .first_hello_timeout = 1s,
    .repeated_hello_timeout = 1500ms,
    .max_silences = 2,
    .hello_interval = 500ms,
    // An address that has never answered may be wrong, or one of very many.
    .longest_pause_unanswered = 30s,
    .min_redial_interval = 500ms,
};

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
      link_(this, std::move(address), std::move(factory), peer_link_options, seed), self_(std::move(self)),
      links_(std::move(links)) {}

peer_link_handle::behavior_type peer_link::make_behavior() {
  link_.dial();
  return {
      [this](const identity_changed& m) {
        self_ = m.self;
        link_.question_changed();
      },
      [this](const timer& m) { link_.on_timer(m); },
      [this](const dial&) { link_.redial(); },
  };
}

void peer_link::on_end() {
  link_.close();
  links_ = nullptr;
}

link_judgement peer_link::judge(const hello& given) {
  peer_ = given;
  if (given.node == self_.node && given.incarnation == self_.incarnation) return {link_report::status::self};
  if (auto problem = objection(given); !problem.empty()) return {link_report::status::refused, std::move(problem)};
  return {};
}

std::string peer_link::objection(const hello& given) const {
  if (auto own = objection_to(given, self_); !own.empty()) return own;
  return given.refusal.empty() ? std::string{} : "refused by the peer: " + printable(given.refusal, max_refusal);
}

void peer_link::report(link_report::status status, const std::string& problem) {
  link_report message;
  message.address = link_.address();
  message.now = status;
  message.problem = problem;
  if (status != link_report::status::down) message.peer = peer_;
  if (status == link_report::status::up) message.endpoint = link_.endpoint();
  send(links_, std::move(message));
}

} // namespace troupe
