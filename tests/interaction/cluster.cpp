#include "tests/interaction/cluster.hpp"

#include "tests/sim/describe.hpp"

#include <limits>
#include <sstream>
#include <stdexcept>

namespace troupe::interaction {
namespace {

using sim::describe;

constexpr raft::cluster_id the_cluster{77};

std::string name(raft::node_id id) { return std::to_string(id.value); }

raft::node_id node_from(std::istream& words) {
  raft::node_id id;
  if (!(words >> id.value)) throw std::invalid_argument("expected a node number");
  return id;
}

/// "1->2", or nullopt at the end of the line.
std::optional<link> link_from(std::istream& words) {
  link l;
  char dash = 0;
  char arrow = 0;
  if (!(words >> l.first.value)) return std::nullopt;
  if (!(words >> dash >> arrow >> l.second.value) || dash != '-' || arrow != '>')
    throw std::invalid_argument("expected a link, such as 1->2");
  return l;
}

raft::duration milliseconds_from(std::istream& words) {
  std::int64_t count = 0;
  words >> count;
  return std::chrono::milliseconds{count};
}

/// A count; the maximum at the end of the line.
std::size_t count_from(std::istream& words) {
  std::size_t count = 0;
  return words >> count ? count : std::numeric_limits<std::size_t>::max();
}

bool matches(const raft::rpc& message, const std::optional<link>& only) {
  const auto& head = raft::head_of(message);
  return !only || (head.from == only->first && head.to == only->second);
}

} // namespace

std::string cluster::run(const std::string& command) {
  std::istringstream words{command};
  std::string verb;
  words >> verb;
  said_.clear();
  try {
    if (verb == "add-nodes") {
      add_nodes(words);
    } else if (verb == "campaign") {
      campaign(node_from(words));
    } else if (verb == "propose") {
      const auto id = node_from(words);
      propose(id, words);
    } else if (verb == "join") {
      join(node_from(words));
    } else if (verb == "change") {
      const auto id = node_from(words);
      change(id, words);
    } else if (verb == "transfer") {
      const auto id = node_from(words);
      transfer(id, words);
    } else if (verb == "read") {
      step(node_from(words), raft::read_request{++last_tag_});
    } else if (verb == "wait") {
      now_ += milliseconds_from(words);
    } else if (verb == "tick") {
      const auto id = node_from(words);
      now_ += milliseconds_from(words);
      tick(id);
    } else if (verb == "deliver") {
      const auto only = link_from(words);
      deliver(only, count_from(words));
    } else if (verb == "drop") {
      drop(link_from(words));
    } else if (verb == "cut") {
      cut_.insert(link_from(words).value());
    } else if (verb == "heal") {
      cut_.clear();
    } else if (verb == "sync") {
      sync(node_from(words));
    } else if (verb == "crash") {
      crash(node_from(words));
    } else if (verb == "snapshot") {
      snapshot(node_from(words));
    } else if (verb == "damage") {
      nodes_.at(node_from(words)).disk.damage_newest();
    } else if (verb == "forget") {
      const auto id = node_from(words);
      nodes_.at(id).disk.forget_last(count_from(words));
    } else if (verb == "no-room" || verb == "room") {
      step(node_from(words), raft::disk_space{verb == "room"});
    } else if (verb == "miss") {
      const auto id = node_from(words);
      miss(id, count_from(words));
    } else if (verb == "restart") {
      start(node_from(words));
    } else if (verb == "stabilize") {
      stabilize();
    } else if (verb == "status") {
      status();
    } else {
      throw std::invalid_argument("unknown command: " + command);
    }
  } catch (const std::logic_error& e) {
    if (dynamic_cast<const std::invalid_argument*>(&e)) throw;
    said_ += std::string{"STOPPED: "} + e.what() + '\n';
  }
  return said_;
}

void cluster::add_nodes(std::istream& words) {
  const auto count = node_from(words).value;
  for (std::string option; words >> option;) {
    const auto equals = option.find('=');
    const auto key = option.substr(0, equals);
    const auto value = std::stoul(option.substr(equals + 1));
    if (key == "max_append_bytes")
      opts_.max_append_bytes = value;
    else if (key == "max_inflight_messages")
      opts_.max_inflight_messages = value;
    else if (key == "max_uncommitted_bytes")
      opts_.max_uncommitted_bytes = value;
    else if (key == "log_tail")
      opts_.log_tail = value;
    else if (key == "catch_up_log_bytes")
      opts_.catch_up_log_bytes = value;
    else if (key == "snapshot_chunk_bytes")
      opts_.snapshot_chunk_bytes = value;
    else
      throw std::invalid_argument("unknown option: " + key);
  }
  raft::configuration all;
  for (std::uint64_t i = 1; i <= count; ++i) all.voters.push_back({raft::node_id{i}, {}});
  const sim::image blank{{1, {}}, {}, {{1, 1, raft::entry_kind::configuration, raft::bytes{encode(all)}}}};
  for (std::uint64_t i = 1; i <= count; ++i) {
    nodes_.emplace(raft::node_id{i}, node{sim::disk{blank}, {}, {}, {}, 0, 0, {}, {}});
    start(raft::node_id{i});
  }
}

void cluster::join(raft::node_id id) {
  nodes_.emplace(id, node{sim::disk{sim::image{}}, {}, {}, {}, 0, 0, {}, {}});
  start(id);
}

/// "+4" adds 4 as a future voter, "+4/1" does so in place of voter 1, "~4" adds 4 as a learner, "-4" removes it; "@7":
/// only if the configuration is the one at 7.
void cluster::change(raft::node_id id, std::istream& words) {
  raft::change_members what;
  what.tag = ++last_tag_;
  for (std::string text; words >> text;) {
    std::size_t read = 0;
    const auto number = std::stoull(text.substr(1), &read);
    const auto rest = text.substr(1 + read);
    const raft::member who{raft::node_id{number}, {}};
    if (text[0] == '+') {
      what.add.push_back({who, true, raft::node_id{rest.empty() ? 0 : std::stoull(rest.substr(1))}});
    } else if (text[0] == '~') {
      what.add.push_back({who, false, {}});
    } else if (text[0] == '-') {
      what.remove.push_back(who.id);
    } else if (text[0] == '@') {
      what.based_on = number;
    } else {
      throw std::invalid_argument("unknown change: " + text);
    }
  }
  step(id, what);
}

void cluster::transfer(raft::node_id id, std::istream& words) {
  raft::transfer_leadership what{++last_tag_, {}};
  words >> what.target.value;
  step(id, what);
}

void cluster::start(raft::node_id id) {
  auto& n = nodes_.at(id);
  const auto seed = id.value * 1000 + static_cast<std::uint64_t>(++n.starts);
  const auto found = n.disk.open();
  n.role.emplace(raft::follower{{id, the_cluster, opts_, seed, found}});
  n.applied = found.snapshot ? found.snapshot->last.index : 0;
  const auto& log = state_of(*n.role).log();
  auto text = "starts in term " + std::to_string(state_of(*n.role).term()) + " with last " +
              std::to_string(log.last_index()) + '/' + std::to_string(log.last_term());
  if (log.start().index > 0) text += " behind " + std::to_string(log.start().index);
  if (found.snapshot) text += ", state of " + std::to_string(found.snapshot->last.index);
  if (found.state_lost) text += ", state lost";
  say(id, text);
  carry_out(id, std::get<raft::follower>(*n.role).start(now_));
}

void cluster::crash(raft::node_id id) {
  auto& n = at(id);
  n.role.reset();
  n.replicators.clear();
  n.held.clear();
  n.incoming.clear();
  n.open.clear();
  // A script's crash loses everything unsynced: the worst case, and always the same.
  n.disk.lose_unsynced();
  say(id, "crashes");
}

void cluster::tick(raft::node_id id) {
  step(id, raft::tick{});
  std::vector<raft::node_id> due;
  for (const auto& [peer, machine] : at(id).replicators)
    if (machine.deadline() <= now_) due.push_back(peer);
  for (const auto peer : due) step_replicator(id, peer, raft::tick{});
}

void cluster::campaign(raft::node_id id) {
  const auto deadline = std::visit([](const auto& r) { return r.deadline(); }, *at(id).role);
  if (!deadline) return say(id, "does not campaign");
  now_ = std::max(now_, *deadline);
  step(id, raft::tick{});
}

void cluster::propose(raft::node_id id, std::istream& words) {
  raft::propose batch;
  for (std::string text; words >> text;) batch.proposals.push_back({++last_tag_, raft::bytes{text}});
  step(id, batch);
}

bool cluster::sync(raft::node_id id) {
  auto& n = at(id);
  if (!n.disk.start_sync()) return false;
  const auto mark = n.disk.finish_sync();
  say(id, "synced up to write " + std::to_string(mark.number));
  while (!n.held.empty() && n.held.front().first <= mark.number) {
    send(id, n.held.front().second);
    n.held.pop_front();
  }
  step(id, raft::persisted{mark});
  return true;
}

bool cluster::deliver(std::optional<link> only, std::size_t count) {
  std::deque<raft::rpc> chosen;
  std::deque<raft::rpc> rest;
  for (auto& message : wire_)
    (matches(message, only) && chosen.size() < count ? chosen : rest).push_back(std::move(message));
  wire_ = std::move(rest);
  for (const auto& message : chosen) receive(message);
  return !chosen.empty();
}

void cluster::drop(std::optional<link> only) {
  std::erase_if(wire_, [&](const raft::rpc& message) {
    if (!matches(message, only)) return false;
    said_ += "lost " + describe(message) + '\n';
    return true;
  });
}

/// Delivers and syncs until nothing is left that can happen without time passing.
void cluster::stabilize() {
  for (int round = 0; round < 100; ++round) {
    bool busy = deliver(std::nullopt, wire_.size());
    for (auto& [id, n] : nodes_)
      if (n.role && sync(id)) busy = true;
    if (!busy) return;
  }
  throw std::invalid_argument("the cluster does not come to rest");
}

void cluster::status() {
  for (const auto& [id, n] : nodes_) {
    if (!n.role) {
      say(id, "is down");
      continue;
    }
    const auto& s = state_of(*n.role);
    const auto hint = std::visit([](const auto& r) { return r.leader_hint(); }, *n.role);
    say(id, std::string{to_string(kind_of(*n.role))} + " term " + std::to_string(s.term()) + " leader " + name(hint) +
                " durable " + std::to_string(s.durable_index()) + " commit " + std::to_string(s.commit()) + ' ' +
                describe(n.disk.written().log));
  }
}

cluster::node& cluster::at(raft::node_id id) {
  auto& n = nodes_.at(id);
  if (!n.role) throw std::invalid_argument("node " + name(id) + " is down");
  return n;
}

void cluster::say(raft::node_id id, const std::string& what) { said_ += name(id) + ": " + what + '\n'; }

} // namespace troupe::interaction
