#include "raft/describe.hpp"

#include <algorithm>

namespace troupe::raft {
namespace {

using std::to_string;

/// How many items of a list the style `log` shows.
constexpr std::size_t max_listed = 4;

std::string position(index_t index, term_t term) { return to_string(index) + '/' + to_string(term); }

std::string name(node_id id, text_style style) {
  return style == text_style::test ? to_string(id.value) : id ? to_string(id) : "none";
}

std::string count(std::size_t number, const char* thing) {
  return to_string(number) + ' ' + thing + (number == 1 ? "" : "s");
}

std::size_t listed(std::size_t size, text_style style) {
  return style == text_style::test ? size : std::min(size, max_listed);
}

/// Calls `use` for each item. In the style `log` only for the first few; `cut` gets a text that says how many follow.
template <class Item, class Use, class Cut>
void for_each_listed(const std::vector<Item>& items, text_style style, Use use, Cut cut) {
  const auto shown = listed(items.size(), style);
  for (std::size_t i = 0; i < shown; ++i) use(items[i]);
  if (shown < items.size()) cut("... and " + to_string(items.size() - shown) + " more");
}

std::string list(const std::vector<member>& members, text_style style) {
  std::string text;
  for_each_listed(
      members, style, [&](const member& m) { text += (text.empty() ? "" : ",") + name(m.id, style); },
      [&](const std::string& rest) { text += ' ' + rest; });
  return text;
}

struct message_body {
  text_style style;

  std::string operator()(const vote_request& m) const {
    return std::string{m.pre ? "pre-vote?" : "vote?"} + " last " + position(m.last_index, m.last_term) +
           (m.transfer ? " by transfer" : "");
  }
  std::string operator()(const vote_response& m) const {
    return std::string{m.pre ? "pre-vote " : "vote "} + (m.granted ? "granted" : "refused");
  }
  std::string operator()(const append_request& m) const {
    return "append prev " + position(m.prev_index, m.prev_term) + ' ' + describe(m.entries, style) + " commit " +
           to_string(m.commit) + " round " + to_string(m.round);
  }
  std::string operator()(const append_response& m) const {
    const auto lost = (m.needs_snapshot == 0 ? "" : " needs a snapshot to " + to_string(m.needs_snapshot)) +
                      (m.no_room ? " no room" : "");
    if (m.success) return "append ok match " + to_string(m.match) + " round " + to_string(m.round) + lost;
    return "append refused at " + to_string(m.prev_index) + " hint " + position(m.hint_index, m.hint_term) + " round " +
           to_string(m.round) + lost;
  }
  std::string operator()(const snapshot_request& m) const {
    return "snapshot " + describe(m.snapshot) + " from byte " + to_string(m.offset) + ", " + to_string(m.data.size()) +
           " bytes, round " + to_string(m.round);
  }
  std::string operator()(const snapshot_response& m) const {
    return "snapshot " + describe(m.snapshot) + (m.failed ? " failed" : "") + " next byte " + to_string(m.next) +
           " round " + to_string(m.round);
  }
  std::string operator()(const timeout_now&) const { return "campaign now"; }
  std::string operator()(const removed_notice& m) const { return "you are removed at " + to_string(m.index); }
  std::string operator()(const removed_answer& m) const { return "knows it is removed at " + to_string(m.index); }
};

std::string describe_entry(const entry& e, text_style style) {
  auto text = position(e.index, e.term);
  switch (e.kind) {
  case entry_kind::noop:
    return text + " noop";
  case entry_kind::command:
    if (style == text_style::test) return text + ' ' + std::string{e.data.view()};
    return text + " command of " + count(e.data.size(), "byte");
  case entry_kind::configuration:
    text += " members";
    // The first configuration is omitted: it is known from the scenario, or from the log.
    if (const auto c = decode_configuration(e.data.view()); c && e.index > 1) text += ' ' + describe(*c, style);
    return text;
  }
  return text + " ?";
}

/// The size of proposals, without the data.
std::string size_of(const std::vector<proposal>& proposals) {
  std::size_t bytes = 0;
  for (const auto& p : proposals) bytes += p.data.size();
  return count(proposals.size(), "command") + " of " + count(bytes, "byte");
}

struct event_body {
  text_style style;

  std::string operator()(const tick&) const { return "tick"; }
  std::string operator()(const rpc& message) const { return "receives " + describe(message, style); }
  std::string operator()(const propose& e) const { return "proposed " + size_of(e.proposals); }
  std::string operator()(const read_request& e) const { return "read " + to_string(e.tag) + " requested"; }
  std::string operator()(const change_members& e) const {
    std::string text = "change of members requested:";
    const auto cut = [&](const std::string& rest) { text += ' ' + rest; };
    for_each_listed(
        e.add, style,
        [&](const addition& a) {
          text += (a.votes ? " add " : " learn ") + name(a.who.id, style);
          if (a.replaces) text += " for " + name(a.replaces, style);
        },
        cut);
    for_each_listed(
        e.remove, style, [&](node_id id) { text += " remove " + name(id, style); }, cut);
    if (e.based_on > 0) text += " based on " + to_string(e.based_on);
    return text;
  }
  std::string operator()(const transfer_leadership& e) const {
    return "transfer requested to " + (e.target ? name(e.target, style) : "any voter");
  }
  std::string operator()(const persisted& e) const {
    return "synced up to write " + to_string(e.mark.number) + ", last " + position(e.mark.last_index, e.mark.last_term);
  }
  std::string operator()(const peer_report& e) const {
    return "report of " + name(e.peer, style) + ": match " + to_string(e.match) + " round " + to_string(e.round) +
           " session " + to_string(e.session) + (e.ineligible ? " ineligible" : "") +
           (e.lost ? " lost entries after " + to_string(e.lost->found) : "") +
           (e.transfer ? " has " + to_string(e.transfer->arrived) + " bytes of a snapshot" : "");
  }
  std::string operator()(const snapshot_stored& e) const {
    return "stored snapshot " + describe(e.snapshot) + " up to byte " + to_string(e.next) +
           (e.complete ? ", complete" : "") + (e.failed ? ", failed" : "") + (e.no_room ? ", no room" : "");
  }
  std::string operator()(const snapshot_taken& e) const {
    return "took snapshot " + position(e.newest.index, e.newest.term) + ", oldest kept " + to_string(e.oldest_kept);
  }
  std::string operator()(const disk_space& e) const { return e.enough ? "disk has room" : "disk is full"; }
  std::string operator()(const state_missing& e) const { return "state missing at " + to_string(e.index); }

  std::string operator()(const replicate& e) const {
    return "replicates " + describe(e.entries, style) + " last " + to_string(e.last) + " commit " +
           to_string(e.commit) + " round " + to_string(e.round);
  }
  std::string operator()(const append_response& e) const { return (*this)(rpc{e}); }
  std::string operator()(const snapshot_response& e) const { return (*this)(rpc{e}); }
  std::string operator()(const fetched& e) const {
    return e.compacted ? "fetch from " + to_string(e.first) + ": compacted"
                       : "fetched from " + to_string(e.first) + ' ' + describe(e.entries, style);
  }
  std::string operator()(const snapshot_chunk& e) const {
    if (!e.snapshot) return "read no snapshot";
    return "read snapshot " + describe(e.snapshot) + " from byte " + to_string(e.offset) + ", " +
           count(e.data.size(), "byte");
  }
};

/// Joins phrases until the line is long enough.
class line {
 public:
  explicit line(std::size_t most) : most_(most) {}

  bool full() const noexcept { return text_.size() > most_; }
  void add(const std::string& phrase) {
    if (!full()) text_ += (text_.empty() ? "" : "; ") + phrase;
  }
  void add_all(const char* verb, const std::vector<rpc>& messages) {
    for (const auto& m : messages) {
      if (full()) return;
      add(verb + describe(m, text_style::log));
    }
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
  std::size_t most_;
};

} // namespace

std::string describe(const rpc& message, text_style style) {
  const auto& head = head_of(message);
  return name(head.from, style) + "->" + name(head.to, style) + " term " + to_string(head.term) + ' ' +
         std::visit(message_body{style}, message);
}

std::string describe(const snapshot_id& id) { return position(id.last.index, id.last.term); }

std::string describe(const std::vector<entry>& entries, text_style style) {
  const auto shown = listed(entries.size(), style);
  std::string text = "[";
  for (std::size_t i = 0; i < shown; ++i) text += (i > 0 ? " " : "") + describe_entry(entries[i], style);
  if (shown < entries.size()) {
    std::size_t bytes = 0;
    for (const auto& e : entries) bytes += e.data.size();
    text += " ... up to " + position(entries.back().index, entries.back().term) + ", " + count(bytes, "byte");
  }
  return text + ']';
}

std::string describe(const write& change, text_style style) {
  auto text = "write " + to_string(change.number);
  if (change.hard) text += " term " + to_string(change.hard->term) + " vote " + name(change.hard->voted_for, style);
  if (change.reset_to) text += " begin behind " + position(change.reset_to->index, change.reset_to->term);
  if (change.truncate_from) text += " cut from " + to_string(*change.truncate_from);
  if (!change.append.empty()) text += ' ' + describe(change.append, style);
  return text;
}

std::string describe(const configuration& c, text_style style) {
  auto text = list(c.voters, style);
  if (c.joint()) text += " from " + list(c.outgoing, style);
  if (!c.learners.empty()) text += " learn " + list(c.learners, style);
  const auto cut = [&](const std::string& rest) { text += ' ' + rest; };
  for_each_listed(
      c.promotions, style,
      [&](const auto& p) {
        text += (p.standby ? " spare "
                 : p.asked ? " promote "
                           : " let in ") +
                name(p.learner, style) + (p.wanted ? " wanted" : "");
        if (p.replaces) text += " for " + name(p.replaces, style);
      },
      cut);
  for_each_listed(
      c.dismissed, style, [&](const auto& d) { text += " without " + name(d.node, style); }, cut);
  return text;
}

const char* describe(reject_reason why) {
  switch (why) {
  case reject_reason::not_leader:
    return "not leader";
  case reject_reason::overloaded:
    return "overloaded";
  case reject_reason::leadership_lost:
    return "leadership lost";
  case reject_reason::disk_full:
    return "disk full";
  case reject_reason::transferring:
    return "transferring";
  case reject_reason::leader_too_new:
    return "leader too new";
  case reject_reason::not_a_voter:
    return "not a voter";
  case reject_reason::no_successor:
    return "no successor";
  case reject_reason::change_in_progress:
    return "change in progress";
  case reject_reason::stale_configuration:
    return "stale configuration";
  case reject_reason::unknown_member:
    return "unknown member";
  case reject_reason::invalid_address:
    return "invalid address";
  case reject_reason::configuration_too_large:
    return "configuration too large";
  case reject_reason::invalid_change:
    return "invalid change";
  case reject_reason::nothing_to_change:
    return "nothing to change";
  case reject_reason::no_majority_left:
    return "no majority would be left";
  case reject_reason::no_voter_left:
    return "no voter left";
  case reject_reason::transfer_failed:
    return "transfer failed";
  case reject_reason::disk_stalled:
    return "disk stalled";
  }
  return "?";
}

std::string describe(const event& what, text_style style) { return std::visit(event_body{style}, what); }
std::string describe(const replicator_event& what, text_style style) { return std::visit(event_body{style}, what); }

std::vector<std::string> effects_of(const output& out, text_style style) {
  std::vector<std::string> all;
  const auto add = [&](std::string phrase) { all.push_back(std::move(phrase)); };
  const auto add_failed = [&](const failed& f) {
    add("refused " + to_string(f.tag) + ": " + describe(f.why) + ", leader " + name(f.leader, style));
  };
  if (out.write_now) add(describe(*out.write_now, style));
  for_each_listed(
      out.accepted_now, style,
      [&](const accepted& a) { add("accepted " + to_string(a.tag) + " as " + position(a.index, a.term)); }, add);
  for_each_listed(out.failed_proposals, style, add_failed, add);
  for_each_listed(out.failed_reads, style, add_failed, add);
  if (out.failed_transfer) add_failed(*out.failed_transfer);
  for_each_listed(
      out.reads, style,
      [&](const read_ready& r) { add("read " + to_string(r.tag) + " may be served at " + to_string(r.index)); }, add);
  if (out.transferred_now)
    add("transferred " + to_string(out.transferred_now->tag) + " to " + name(out.transferred_now->to, style));
  if (out.disk_stalled) add(*out.disk_stalled ? "its disk stalls" : "its disk answers again");
  if (out.removed) add("is removed at " + to_string(*out.removed));
  if (out.load) add("loads the state of " + to_string(out.load->last.index));
  if (out.compact_to) add("drops its log up to " + to_string(*out.compact_to));
  for (const auto& lost : out.broken_promises)
    add("to " + name(lost.peer, style) + ": acknowledged up to " + to_string(lost.what.acknowledged) +
        ", has nothing behind " + to_string(lost.what.found));
  for (const auto& kept : out.released_logs) add("keeps its log for " + name(kept.peer, style) + " no longer");
  if (out.commit_to) add("applies up to " + to_string(*out.commit_to));
  return all;
}

std::string describe(const output& out, std::size_t most) {
  line all{most};
  // The parts that are most often looked for come first, as the end may be cut.
  if (out.next_role) all.add(std::string{"becomes "} + to_string(out.next_role->to));
  for (const auto& phrase : effects_of(out, text_style::log)) all.add(phrase);
  all.add_all("sends ", out.send_now);
  all.add_all("after sync sends ", out.send_after_persist);
  if (out.membership) {
    for (const auto& m : out.membership->start) all.add("starts to replicate to " + name(m.id, text_style::log));
    for (const auto& id : out.membership->stop) all.add("stops to replicate to " + name(id, text_style::log));
  }
  if (out.replicate_now) all.add(event_body{text_style::log}(*out.replicate_now));
  if (out.store_chunk)
    all.add("stores snapshot " + describe(out.store_chunk->snapshot) + " from byte " +
            to_string(out.store_chunk->offset) + ", " + count(out.store_chunk->data.size(), "byte"));
  return all.take();
}

std::string describe(const replicator_output& out, std::size_t most) {
  line all{most};
  for (const auto& m : out.send) {
    if (all.full()) break;
    all.add("sends " + describe(rpc{m}, text_style::log));
  }
  if (out.send_chunk) all.add("sends " + describe(rpc{*out.send_chunk}, text_style::log));
  if (out.report) all.add(event_body{text_style::log}(*out.report));
  if (out.fetch) all.add("fetches from " + to_string(out.fetch->first));
  if (out.read_chunk) all.add("reads a snapshot from byte " + to_string(out.read_chunk->offset));
  if (out.doubted) all.add("doubts snapshot " + describe(*out.doubted));
  return all.take();
}

} // namespace troupe::raft
