#include "actors/cluster/formation_actor.hpp"

#include "actors/cluster/peer_link.hpp"
#include "raft/storage.hpp"

#include <algorithm>
#include <troupe/log.hpp>
#include <utility>

namespace troupe {
namespace {

using namespace std::chrono_literals;

/// Interval at which the actor repeats questions and checks whether to propose, until the node is formed.
constexpr auto busy_tick = 100ms;
/// A formed node only cancels promises to it that no formation needs any more, which is not urgent.
constexpr auto idle_tick = 2s;
constexpr auto answer_timeout = 1s;

raft::peer_sightings sightings(const peers_view& view) {
  raft::peer_sightings seen{
      .peers = {}, .discovered = view.discovered, .listed = view.listed, .unanswered = view.unanswered};
  for (const auto& [who, endpoint] : view.peers) seen.peers.push_back(sighted(who));
  return seen;
}

} // namespace

formation_actor::formation_actor(caf::actor_config& config, formation_setup setup)
    : compat::typed_base<formation_handle>(config), setup_(std::move(setup)) {
  compat::end_on_exceptions(this);
}

formation_handle::behavior_type formation_actor::make_behavior() {
  machine_ = std::make_unique<raft::formation>(raft::member{setup_.self.node, setup_.self.address}, setup_.rule,
                                               setup_.seed, load());
  announce();
  send(setup_.links, watch_peers{peers_watcher{this}});
  carry_out(machine_->start());
  arm();
  return {
      [this](const propose_formation& m) {
        answer_.reset();
        run(m);
        if (answer_) return *answer_;
        return formation_answer{m.cluster, setup_.self.node, false, "not a formation of this node"};
      },
      [this](const abort_formation& m) { run(m); },
      [this](const peers_view& m) {
        peers_.clear();
        for (const auto& peer : m.peers) peers_.emplace(peer.who.node, peer.endpoint);
        run(sightings(m));
      },
      [this](const formed_now& m) { run(m); },
      [this](const invited& m) { run(m); },
      [this](const set_wants_to_join& m) { run(m); },
      [this](const timer& m) {
        if (m.generation != generation_) return;
        run(raft::tick{});
        arm();
      },
      [this](const get_formation&) {
        return formation_status{machine_->record().state(), announced_cluster_, note_};
      },
  };
}

void formation_actor::on_end() {
  setup_.links = nullptr;
  setup_.node = nullptr;
  setup_.store.reset(); // it keeps the data directory locked
  peers_.clear();
}

raft::membership_record formation_actor::load() const {
  raft::membership_record record{
      .cluster = setup_.store->cluster(), .promise = {}, .restored = setup_.store->restored()};
  if (const auto bytes = setup_.store->promise()) {
    record.promise = raft::decode_promise(*bytes);
    if (!record.promise) throw raft::storage_error("the data directory holds a promise that cannot be decoded");
  }
  return record;
}

void formation_actor::run(const raft::formation_event& what) { carry_out(machine_->step(what)); }

void formation_actor::carry_out(raft::formation_output out) {
  while (true) {
    note(out.note, out.alarm);
    for (const auto& question : out.ask) ask(question);
    for (const auto& [to, answer] : out.answer) {
      if (!answer.promised)
        log().info("formation: refused to promise to join cluster {}: {}", to_string(answer.cluster), answer.reason);
      answer_ = answer;
    }
    for (const auto& [to, what] : out.abort)
      if (const auto peer = peers_.find(to); peer != peers_.end()) send(peer->second, what);
    // Peers learn what this node is before anything acts on it.
    announce();
    if (out.decided) send(setup_.node, std::move(*out.decided));
    if (!out.store) return;
    save(*out.store);
    out = machine_->step(raft::record_synced{});
  }
}

/// If both change, the cluster is written first: after a crash in between, the node is a member that still holds its
/// promise.
void formation_actor::save(const raft::membership_record& next) {
  const auto& now = machine_->record();
  if (next.cluster != now.cluster) setup_.store->set_cluster(next.cluster, next.restored);
  if (next.promise != now.promise)
    setup_.store->set_promise(next.promise ? std::optional{raft::encode(*next.promise)} : std::nullopt);
}

void formation_actor::ask(const raft::addressed<propose_formation>& question) {
  const auto peer = peers_.find(question.to);
  if (peer == peers_.end() || !asked_.insert(question.to).second) return;
  request(peer->second, answer_timeout, question.what)
      .then(
          [this, to = question.to](const formation_answer& answer) {
            asked_.erase(to);
            if (answer.node == to) run(answer);
          },
          [this, to = question.to](const caf::error& e) {
            asked_.erase(to);
            log().info("formation: node {} does not answer: {}", to_string(to), to_text(system(), e));
          });
}

void formation_actor::announce() {
  const auto& record = machine_->record();
  const auto cluster = record.cluster ? record.cluster : record.promise ? record.promise->cluster : cluster_id{};
  if (record.state() == announced_ && cluster == announced_cluster_ &&
      machine_->wants_to_join() == setup_.self.wants_to_join)
    return;
  setup_.self.wants_to_join = machine_->wants_to_join();
  setup_.self.state = announced_ = record.state();
  setup_.self.cluster = announced_cluster_ = cluster;
  send(setup_.links, identity_changed{setup_.self});
}

void formation_actor::note(const std::string& text, bool alarm) {
  if (text.empty() || text == note_) return;
  note_ = text;
  log().log(alarm ? log_level::error : log_level::info, "formation: {}", text);
}

void formation_actor::arm() {
  const auto pause = announced_ == membership_state::formed ? caf::timespan{idle_tick} : caf::timespan{busy_tick};
  delayed_send(this, pause, timer{++generation_});
}

} // namespace troupe
