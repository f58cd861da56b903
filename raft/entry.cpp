#include "raft/entry.hpp"

#include "raft/codec.hpp"

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

/// Format 2 is format 1 and the promotions behind it. It is written only where there are any: one configuration, one
/// encoding.
constexpr std::uint8_t plain_format = 1;
constexpr std::uint8_t promoting_format = 2;

std::vector<promotion> get_promotions(reader& in) {
  std::vector<promotion> promotions;
  const auto count = in.get<std::uint32_t>();
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    const node_id learner{in.get<std::uint64_t>()};
    promotions.push_back({learner, node_id{in.get<std::uint64_t>()}});
  }
  return promotions;
}

} // namespace

bool configuration::is_voter(node_id id) const noexcept { return contains(voters, id) || contains(outgoing, id); }

bool configuration::is_member(node_id id) const noexcept { return is_voter(id) || contains(learners, id); }

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
  out.put(value.promotions.empty() ? plain_format : promoting_format);
  put_members(out, value.voters);
  put_members(out, value.outgoing);
  put_members(out, value.learners);
  if (value.promotions.empty()) return text;
  out.put(static_cast<std::uint32_t>(value.promotions.size()));
  for (const auto& p : value.promotions) {
    out.put(p.learner.value);
    out.put(p.replaces.value);
  }
  return text;
}

std::optional<configuration> decode_configuration(std::string_view data) {
  reader in{data};
  const auto format = in.get<std::uint8_t>();
  if (format != plain_format && format != promoting_format) return std::nullopt;
  configuration value;
  value.voters = get_members(in);
  value.outgoing = get_members(in);
  value.learners = get_members(in);
  if (format == promoting_format) {
    value.promotions = get_promotions(in);
    if (value.promotions.empty()) return std::nullopt;
  }
  if (!in.done()) return std::nullopt;
  return value;
}

} // namespace troupe::raft
