#include "raft/entry.hpp"

#include "raft/base/codec.hpp"

#include <algorithm>

namespace troupe::raft {
namespace {

bool contains(const std::vector<member>& members, node_id id) {
  return std::any_of(members.begin(), members.end(), [&](const member& m) { return m.id == id; });
}

void put_members(writer& out, const std::vector<member>& members) {
  out.put(static_cast<std::uint32_t>(members.size()));
  for (const auto& m : members) {
    out.put(m.id.value);
    out.put_string(m.address);
  }
}

std::vector<member> get_members(reader& in) {
  std::vector<member> members;
  const auto count = in.get<std::uint32_t>();
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    const node_id id{in.get<std::uint64_t>()};
    members.push_back({id, std::string{in.get_string()}});
  }
  return members;
}

/// Format 2 adds promotions without flags to format 1. Format 3 adds the flags `asked` and `spare`, and the dismissed
/// nodes after the promotions. Format 4 adds the flag `wanted`, the index of each dismissal, and `forgotten`. A
/// configuration is written in the lowest format that can represent it, so that it has exactly one encoding.
constexpr std::uint8_t plain_format = 1;
constexpr std::uint8_t promoting_format = 2;
constexpr std::uint8_t dismissing_format = 3;
constexpr std::uint8_t newest_format = 4;

constexpr std::uint8_t asked_flag = 1;
constexpr std::uint8_t standby_flag = 2;
constexpr std::uint8_t wanted_flag = 4;

std::uint8_t format_of(const configuration& c) {
  const bool wanted =
      std::any_of(c.promotions.begin(), c.promotions.end(), [](const promotion& p) { return p.wanted; });
  const bool flagged =
      std::any_of(c.promotions.begin(), c.promotions.end(), [](const promotion& p) { return p.asked || p.standby; });
  const bool placed = c.forgotten > 0 ||
                      std::any_of(c.dismissed.begin(), c.dismissed.end(), [](const dismissal& d) { return d.at > 0; });
  if (wanted || placed) return newest_format;
  if (flagged || !c.dismissed.empty()) return dismissing_format;
  return c.promotions.empty() ? plain_format : promoting_format;
}

std::vector<promotion> get_promotions(reader& in, std::uint8_t format) {
  std::vector<promotion> promotions;
  const auto count = in.get<std::uint32_t>();
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    const node_id learner{in.get<std::uint64_t>()};
    const node_id replaces{in.get<std::uint64_t>()};
    const auto flags = format >= dismissing_format ? in.get<std::uint8_t>() : std::uint8_t{0};
    promotions.push_back(
        {learner, replaces, (flags & asked_flag) != 0, (flags & standby_flag) != 0, (flags & wanted_flag) != 0});
  }
  return promotions;
}

std::vector<dismissal> get_dismissed(reader& in, std::uint8_t format) {
  std::vector<dismissal> dismissed;
  const auto count = in.get<std::uint32_t>();
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    const node_id node{in.get<std::uint64_t>()};
    dismissed.push_back({node, format >= newest_format ? in.get<index_t>() : 0});
  }
  return dismissed;
}

} // namespace

bool configuration::is_voter(node_id id) const noexcept { return contains(voters, id) || contains(outgoing, id); }

bool configuration::is_member(node_id id) const noexcept { return is_voter(id) || contains(learners, id); }

bool configuration::is_dismissed(node_id id) const noexcept {
  return std::any_of(dismissed.begin(), dismissed.end(), [&](const dismissal& d) { return d.node == id; });
}

std::vector<member> configuration::members() const {
  auto all = voters;
  for (const auto* group : {&outgoing, &learners})
    for (const auto& m : *group)
      if (!contains(all, m.id)) all.push_back(m);
  return all;
}

std::string encode(const configuration& value) {
  std::string text;
  writer out{text};
  const auto format = format_of(value);
  out.put(format);
  put_members(out, value.voters);
  put_members(out, value.outgoing);
  put_members(out, value.learners);
  if (format == plain_format) return text;
  out.put(static_cast<std::uint32_t>(value.promotions.size()));
  for (const auto& p : value.promotions) {
    out.put(p.learner.value);
    out.put(p.replaces.value);
    if (format < dismissing_format) continue;
    out.put(static_cast<std::uint8_t>((p.asked ? asked_flag : 0) | (p.standby ? standby_flag : 0) |
                                      (p.wanted ? wanted_flag : 0)));
  }
  if (format < dismissing_format) return text;
  out.put(static_cast<std::uint32_t>(value.dismissed.size()));
  for (const auto& d : value.dismissed) {
    out.put(d.node.value);
    if (format >= newest_format) out.put(d.at);
  }
  if (format >= newest_format) out.put(value.forgotten);
  return text;
}

std::optional<configuration> decode_configuration(std::string_view data) {
  reader in{data};
  const auto format = in.get<std::uint8_t>();
  if (format < plain_format || format > newest_format) return std::nullopt;
  configuration value;
  value.voters = get_members(in);
  value.outgoing = get_members(in);
  value.learners = get_members(in);
  if (format >= promoting_format) value.promotions = get_promotions(in, format);
  if (format >= dismissing_format) value.dismissed = get_dismissed(in, format);
  if (format >= newest_format) value.forgotten = in.get<index_t>();
  if (!in.done() || encode(value) != data) return std::nullopt;
  return value;
}

} // namespace troupe::raft
