#include "tests/sim/node.hpp"

#include "tests/sim/describe.hpp"
#include "tests/sim/violation.hpp"

namespace troupe::sim {

using namespace std::chrono_literals;

raft::configuration formatted_members(std::size_t nodes) {
  raft::configuration all;
  for (std::uint64_t i = 1; i <= nodes; ++i) all.voters.push_back({raft::node_id{i}, {}});
  return all;
}

image formatted_image(std::size_t nodes) {
  const auto all = formatted_members(nodes);
  return {{1, {}}, {}, {{1, 1, raft::entry_kind::configuration, raft::bytes{encode(all)}}}};
}

node::node(world& w, raft::node_id id, image formatted, directory find)
    : world_(w), id_(id), find_(std::move(find)), disk_(std::move(formatted)) {
  clock_.offset = 1000s + w.between(0s, 1000s);
  if (w.what.skewed_clocks) clock_.permille = 800 + static_cast<std::int64_t>(w.random.next() % 451);
}

void node::boot() {
  boot_waits_ = disk_stopped_;
  if (boot_waits_) return;
  ++incarnation_;
  ++epoch_;
  auto found = disk_.open();
  if (found.state_lost) ++world_.seen.states_lost;
  world_.judge.on_boot(id_, disk_.synced());
  const auto seed = world_.random.next();
  if (world_.what.broken == mutant::trust_damaged_snapshot && std::exchange(found.state_lost, false)) {
    found.snapshot = raft::snapshot_point{found.start, 1, formatted_members(world_.what.nodes)};
    disk_.keep({*found.snapshot, std::make_shared<const register_machine>(), false});
  }
  role_.emplace(raft::follower{{id_, simulated_cluster, world_.what.opts, seed, found}});
  if (found.snapshot) {
    for (const auto& s : disk_.snapshots())
      if (s.at == *found.snapshot) ready_[s.at.last.index] = s;
    load(*found.snapshot);
  }
  if (!has_room_) inbox_.push_back(raft::disk_space{false});
  note("boot");
  take_over(std::nullopt);
}

void node::crash() {
  note("crash");
  ++incarnation_;
  ++epoch_;
  if (disk_.crash(world_.random)) ++world_.seen.crashes_with_loss;
  role_.reset();
  handing_over_ = false;
  inbox_.clear();
  tick_at_.reset();
  held_.clear();
  wait_for_disk_.clear();
  marks_at_ = duration{0};
  peers_.clear();
  applied_ = missing_at_ = 0;
  service_ = {};
  answers_.clear();
  members_ = {};
  members_at_ = snapshot_at_ = 0;
  taking_snapshot_ = snapshot_is_written_ = false;
  written_snapshot_.reset();
  incoming_ = {};
  incoming_bytes_.clear();
  ready_.clear();
  stored_at_ = duration{0};
  origins_.clear();
  for (auto& [tag, w] : std::exchange(waiting_, {})) w.done(outcome::unknown, {});
}

void node::later(duration delay, bool this_epoch, std::function<void()> what) {
  world_.time.after(delay, [this, this_epoch, incarnation = incarnation_, epoch = epoch_, what = std::move(what)] {
    if (incarnation == incarnation_ && (!this_epoch || epoch == epoch_)) what();
  });
}

void node::when_on_disk(duration delay, std::function<void()> what) {
  later(delay, false, [this, what = std::move(what)] {
    if (disk_stopped_) {
      wait_for_disk_.push_back(what);
    } else {
      what();
    }
  });
}

void node::set_disk_stopped(bool stopped) {
  if (disk_stopped_ == stopped) return;
  note(stopped ? "disk stops" : "disk goes on");
  disk_stopped_ = stopped;
  if (stopped) {
    ++world_.seen.disks_stopped;
    if (leads()) ++world_.seen.leaders_disks_stopped;
    return;
  }
  for (const auto& what : std::exchange(wait_for_disk_, {})) what();
  if (std::exchange(boot_waits_, false) && !up()) boot();
}

void node::receive(const raft::rpc& message) {
  const auto& head = raft::head_of(message);
  if (!up() || head.cluster != simulated_cluster || head.to != id_) return;
  const auto to_replicator = [&](const auto& response) {
    if (head.term == term() && leads() && peers_.contains(head.from)) {
      world_.judge.on_heard(head.term, head.from, world_.time.now());
      step_replicator(head.from, response);
    }
    return head.term <= term();
  };
  const auto* appended = std::get_if<raft::append_response>(&message);
  const auto* stored = std::get_if<raft::snapshot_response>(&message);
  if ((appended && to_replicator(*appended)) || (stored && to_replicator(*stored))) return;
  post(message);
}

void node::post(raft::event what) {
  if (handing_over_) {
    inbox_.push_back(std::move(what));
  } else {
    step(what);
  }
}

void node::step(const raft::event& what) {
  const auto kind = kind_of(*role_);
  const auto seen_as = column_of(what);
  world_.table.count(kind, seen_as);
  if (world_.events.keeps_text()) {
    const auto* message = std::get_if<raft::rpc>(&what);
    note(message ? describe(*message) : to_string(seen_as));
  }
  if (const auto ready = serve_unasked(what)) {
    raft::output unasked;
    unasked.reads.push_back(*ready);
    settle_replies(unasked);
    return;
  }
  const bool leads = kind == raft::role_kind::leader;
  const auto* read = std::get_if<raft::read_request>(&what);
  if (leads && read) world_.judge.on_read_asked(state_of(*role_), read->tag);
  const auto now = clock();
  carry_out(std::visit([&](auto& r) { return r.step(what, now); }, *role_));
  if (leads && seen_as == column::tick && this->leads())
    world_.judge.on_still_leading(state_of(*role_), disk_.written(), world_.time.now());
}

/// The mutant that trusts its own memory of being the leader.
std::optional<raft::read_ready> node::serve_unasked(const raft::event& what) const {
  const auto* read = std::get_if<raft::read_request>(&what);
  if (world_.what.broken != mutant::read_without_round || !read || !leads()) return std::nullopt;
  return raft::read_ready{read->tag, state_of(*role_).commit()};
}

void node::carry_out(raft::output out) {
  const auto& state = state_of(*role_);
  const auto kind = kind_of(*role_);
  state.validate(out);
  if (out.write_now) hand_to_disk(*out.write_now);
  for (const auto& message : out.send_now) send(message);
  if (!out.send_after_persist.empty()) {
    if (world_.what.broken == mutant::vote_before_persist)
      std::erase_if(out.send_after_persist, [&](const raft::rpc& message) {
        const bool vote = std::holds_alternative<raft::vote_response>(message);
        if (vote) send(message);
        return vote;
      });
    held_.emplace_back(state.last_write(), std::move(out.send_after_persist));
    if (disk_.synced_number() >= held_.back().first) synced();
  }
  if (out.compact_to) {
    ++world_.seen.compactions;
    disk_.compact(*out.compact_to);
  }
  if (kind == raft::role_kind::leader)
    for (const auto& r : out.reads) world_.judge.on_read_served(state, r.tag, disk_.written());
  world_.judge.after_step(state, kind, disk_, world_.time.now());
  world_.events.mix(static_cast<std::uint64_t>(world_.time.now().count()) ^ id_.value << 56);
  world_.events.mix(state.term() << 40 ^ state.log().last_index() << 20 ^ state.commit());
  ++world_.seen.steps;
  if (out.membership) start_and_stop_replicators(*out.membership);
  if (out.removed) {
    ++world_.seen.removal_notices;
    world_.judge.on_removed(id_, *out.removed);
  }
  if (out.replicate_now)
    for (const auto& [to, p] : peers_) tell_replicator(to, *out.replicate_now);
  settle_replies(out);
  if (out.store_chunk) store(*out.store_chunk);
  if (out.load) load(*out.load);
  if (out.commit_to) apply_to(*out.commit_to);
  if (out.next_role) {
    if (kind == raft::role_kind::leader && !state.can_apply()) ++world_.seen.leaders_unable_to_apply;
    hand_over(std::move(*out.next_role));
  } else {
    arm();
  }
}

void node::hand_over(raft::transition next) {
  if (!state_of(*role_).all_durable()) ++world_.seen.role_changes_in_flight;
  peers_.clear();
  ++epoch_;
  handing_over_ = true;
  role_.emplace(become(std::move(*role_), next.to));
  note("becomes");
  // Events for the old role that arrive meanwhile wait for the new one.
  const auto delay = world_.chance(300) ? world_.between(0ms, 3ms) : duration{0};
  later(delay, true, [this, carry = std::move(next.carry)] { take_over(carry); });
}

void node::take_over(std::optional<raft::rpc> carry) {
  handing_over_ = false;
  if (const auto* l = std::get_if<raft::leader>(&*role_)) {
    ++world_.seen.elections;
    world_.judge.on_leader(l->state(), disk_.written(), world_.time.now());
    if (world_.on_elected) world_.on_elected(id_);
  }
  const auto now = clock();
  carry_out(std::visit([&](auto& r) { return r.start(now); }, *role_));
  if (carry) post(*carry);
  while (!handing_over_ && !inbox_.empty()) {
    const auto next = std::move(inbox_.front());
    inbox_.pop_front();
    step(next);
  }
}

void node::arm() {
  const auto deadline = std::visit([](const auto& r) { return r.deadline(); }, *role_);
  if (!deadline) return;
  const auto when = clock_.moment(*deadline);
  // A timer that fires too early arms itself again; only one that would fire too late is replaced.
  if (tick_at_ && *tick_at_ <= when) return;
  tick_at_ = when;
  later(when - world_.time.now(), false, [this, when] {
    if (tick_at_ != when) return;
    tick_at_.reset();
    if (handing_over_) return;
    const auto due = std::visit([](const auto& r) { return r.deadline(); }, *role_);
    if (due && *due <= clock()) {
      step(raft::tick{});
    } else {
      arm();
    }
  });
}

void node::send(const raft::rpc& message) {
  world_.judge.on_send(id_, disk_.synced(), message);
  const auto to = raft::head_of(message).to;
  world_.net.send(id_, to, true, [this, to, message] { find_(to).receive(message); });
}

void node::hand_to_disk(const raft::write& change) {
  if (change.truncate_from) ++world_.seen.conflicting_tails_cut;
  if (change.reset_to) ++world_.seen.logs_reset;
  auto before = change.reset_to ? change.reset_to->index : disk_.written().last_index();
  if (change.truncate_from) before = std::min(before, *change.truncate_from - 1);
  const auto behind = change.reset_to ? change.reset_to->term : disk_.written().term_at(before);
  world_.judge.on_append(behind, change);
  disk_.hand_over(change);
  if (world_.what.broken == mutant::count_unsynced_copy && std::holds_alternative<raft::leader>(*role_))
    later(0ms, false, [this, mark = disk_.written_mark()] { post(raft::persisted{mark}); });
  sync();
}

void node::sync() {
  if (!disk_.start_sync()) return;
  when_on_disk(world_.between(world_.what.sync_min, world_.what.sync_max) * slowness_, [this] {
    const auto mark = disk_.finish_sync();
    note("synced");
    synced();
    keep_snapshot_if_durable();
    // The completion reaches the role that exists by then. Completions keep their order.
    marks_at_ = std::max(marks_at_, world_.time.now() + world_.between(0us, 2ms));
    later(marks_at_ - world_.time.now(), false, [this, mark] { post(raft::persisted{mark}); });
    sync();
  });
}

void node::synced() {
  while (!held_.empty() && held_.front().first <= disk_.synced_number()) {
    for (const auto& message : held_.front().second) send(message);
    held_.pop_front();
  }
}

void node::note(const std::string& what) {
  if (!world_.events.keeps_text()) return;
  auto text = std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(world_.time.now()).count()) +
              "us node " + std::to_string(id_.value) + ' ' + what;
  if (role_) {
    const auto& s = state_of(*role_);
    text += std::string{" ["} + to_string(kind_of(*role_)) + " term " + std::to_string(s.term()) + " last " +
            std::to_string(s.log().last_index()) + '/' + std::to_string(s.log().last_term()) + " durable " +
            std::to_string(s.durable_index()) + " commit " + std::to_string(s.commit()) + ']';
  }
  world_.events.line(text);
}

} // namespace troupe::sim
