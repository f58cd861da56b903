// Proxy and dispatcher of a simulated node: forwards to the leader, applies entries, answers clients.
#include "tests/sim/node.hpp"

#include "tests/sim/violation.hpp"

namespace troupe::sim {

void node::submit(const command& what, reply done) {
  if (!up() || handing_over_) {
    done(outcome::rejected, {});
    return;
  }
  const auto tag = ++world_.last_tag;
  waiting_.emplace(tag, waiting{what, std::move(done)});
  later(world_.what.client_timeout, false, [this, tag] {
    if (waiting_.contains(tag)) finish(tag, outcome::unknown, {});
  });
  const auto leader = std::visit([](const auto& r) { return r.leader_hint(); }, *role_);
  if (!leader) {
    finish(tag, outcome::rejected, {});
  } else if (leader == id_) {
    ask_role(id_, tag, what);
  } else {
    world_.net.send(id_, leader, false, [this, leader, tag, what] { find_(leader).ask_role(id_, tag, what); });
  }
}

void node::administer(raft::change_members what) {
  what.tag = ++world_.last_tag;
  origins_[what.tag] = id_;
  post(what);
}

void node::administer(raft::transfer_leadership what) {
  what.tag = ++world_.last_tag;
  origins_[what.tag] = id_;
  post(what);
}

/// The request comes from `origin`. A node that is down does not answer.
void node::ask_role(raft::node_id origin, raft::tag_t tag, const command& what) {
  if (!up()) return;
  origins_[tag] = origin;
  if (handing_over_) {
    raft::output refused;
    (what.what == action::read ? refused.failed_reads : refused.failed_proposals)
        .push_back({tag, raft::reject_reason::not_leader, {}});
    settle_replies(refused);
  } else if (what.what == action::read) {
    step(raft::read_request{tag});
  } else {
    step(raft::propose{{{tag, what.encode()}}});
  }
}

void node::settle_replies(const raft::output& out) {
  const auto answer_origin = [this](raft::tag_t tag, auto what, auto settle) {
    const auto origin = origins_.extract(tag);
    if (origin.empty()) throw violation("an answer without a request");
    if (origin.mapped() == id_) {
      (this->*settle)(what);
      return;
    }
    auto& asker = find_(origin.mapped());
    world_.net.send(id_, asker.id(), false, [&asker, what, settle] { (asker.*settle)(what); });
  };
  for (const auto& a : out.accepted_now) answer_origin(a.tag, a, &node::on_accepted);
  for (const auto& f : out.failed_proposals) answer_origin(f.tag, f, &node::on_failed);
  for (const auto& f : out.failed_reads) answer_origin(f.tag, f, &node::on_failed);
  if (out.failed_transfer) answer_origin(out.failed_transfer->tag, *out.failed_transfer, &node::on_failed);
  for (const auto& r : out.reads) answer_origin(r.tag, r, &node::on_read_ready);
  if (out.transferred_now) {
    if (origins_.erase(out.transferred_now->tag) == 0) throw violation("a transfer without a request");
    ++world_.seen.transfers;
  }
}

void node::on_accepted(const raft::accepted& a) {
  const auto w = waiting_.find(a.tag);
  if (w == waiting_.end()) return;
  w->second.index = a.index;
  w->second.term = a.term;
  settle_applied();
}

void node::on_read_ready(const raft::read_ready& r) {
  const auto w = waiting_.find(r.tag);
  if (w == waiting_.end()) return;
  if (applied_ < r.index) ++world_.seen.reads_delayed;
  w->second.index = r.index;
  settle_applied();
}

void node::on_failed(const raft::failed& f) {
  if (f.why == raft::reject_reason::transfer_failed || f.why == raft::reject_reason::no_successor)
    ++world_.seen.transfers_failed;
  if (f.why == raft::reject_reason::change_in_progress || f.why == raft::reject_reason::leader_too_new)
    ++world_.seen.changes_refused;
  const auto w = waiting_.find(f.tag);
  if (w == waiting_.end()) return;
  if (w->second.what.what == action::read) ++world_.seen.reads_refused;
  if (f.why == raft::reject_reason::disk_full) ++world_.seen.proposals_without_room;
  finish(f.tag, outcome::rejected, {});
}

/// The answer to a command; nullopt if it restores a backup that this node lacks.
std::optional<answer> node::execute(const command& c) {
  if (c.what == action::restore) {
    if (!world_.backups.at(c.value).contains(id_)) return std::nullopt;
    ++world_.seen.restores;
  }
  return service_.apply(c);
}

/// Notifies the role. Nothing more is applied before another node's snapshot is loaded.
void node::stop_before(raft::index_t index) {
  missing_at_ = index;
  ++world_.seen.backups_missed;
  note("lacks the backup of " + std::to_string(index));
  later(world_.between(0us, 3ms), false, [this, index] { post(raft::state_missing{index}); });
}

void node::apply_to(raft::index_t index) {
  // The role releases these entries again, as it did not know of the missing backup yet.
  if (missing_at_ > 0) return;
  for (auto i = applied_ + 1; i <= index; ++i) {
    // The newest entries are in memory, older ones on the disk; both must agree.
    const auto* found = disk_.written().find(i);
    if (!found) throw violation("an entry that is not applied yet is missing");
    const auto& e = *found;
    const auto cached = state_of(*role_).log().slice(i, i, 0);
    if (!cached.empty() && !(cached.front() == e)) throw violation("cache and disk differ");
    world_.judge.on_applied(e);
    if (e.kind == raft::entry_kind::configuration) {
      members_at_ = i;
      members_ = *raft::decode_configuration(e.data.view());
    }
    const auto with = e.kind == raft::entry_kind::command ? execute(command::decode(e.data)) : answer{};
    if (!with && world_.what.broken != mutant::restore_without_backup) {
      stop_before(i);
      break;
    }
    answers_[i] = {e.term, with.value_or(answer{})};
    applied_ = i;
  }
  settle_applied();
  maybe_take_snapshot();
}

void node::settle_applied() {
  std::vector<raft::tag_t> ready;
  for (const auto& [tag, w] : waiting_)
    if (w.index != 0 && w.index <= applied_) ready.push_back(tag);
  for (const auto tag : ready) {
    const auto& w = waiting_.at(tag);
    if (w.what.what == action::read) {
      finish(tag, outcome::done, {service_.read(w.what.key)});
    } else if (const auto entry = answers_.find(w.index); entry == answers_.end()) {
      // A snapshot covers it: this node cannot say which entry was there.
      finish(tag, outcome::unknown, {});
    } else if (entry->second.term == w.term) {
      finish(tag, outcome::done, entry->second.with);
    } else {
      finish(tag, outcome::rejected, {});
    }
  }
}

void node::finish(raft::tag_t tag, outcome how, answer with) {
  const auto w = waiting_.extract(tag);
  w.mapped().done(how, with);
}

} // namespace troupe::sim
