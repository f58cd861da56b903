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

constexpr std::uint8_t configuration_format = 1;

} // namespace

bool configuration::is_voter(node_id id) const noexcept { return contains(voters, id) || contains(outgoing, id); }

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
  out.put(configuration_format);
  put_members(out, value.voters);
  put_members(out, value.outgoing);
  put_members(out, value.learners);
  return text;
}

std::optional<configuration> decode_configuration(std::string_view data) {
  reader in{data};
  if (in.get<std::uint8_t>() != configuration_format) return std::nullopt;
  configuration value;
  value.voters = get_members(in);
  value.outgoing = get_members(in);
  value.learners = get_members(in);
  if (!in.done()) return std::nullopt;
  return value;
}

} // namespace troupe::raft
