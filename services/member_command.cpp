#include "services/member_command.hpp"

#include "raft/base/codec.hpp"
#include "services/command.hpp"

#include <algorithm>

namespace troupe::services {
namespace {

constexpr std::string_view members_tag = "members";
constexpr std::string_view transfer_tag = "transfer";

std::optional<member_command> decode_change(std::string_view payload) {
  raft::reader in{payload};
  raft::change_members change;
  change.based_on = in.get<std::uint64_t>();
  for (auto left = in.get<std::uint32_t>(); left > 0 && in.ok(); --left) {
    raft::addition one;
    one.who.id.value = in.get<std::uint64_t>();
    one.who.address = in.get_string();
    one.votes = in.get<std::uint8_t>() != 0;
    one.replaces.value = in.get<std::uint64_t>();
    change.add.push_back(std::move(one));
  }
  for (auto left = in.get<std::uint32_t>(); left > 0 && in.ok(); --left)
    change.remove.push_back({in.get<std::uint64_t>()});
  if (!in.done()) return std::nullopt;
  return change;
}

} // namespace

std::string encode(const member_command& what) {
  std::string payload;
  raft::writer out{payload};
  if (const auto* move = std::get_if<raft::transfer_leadership>(&what)) {
    out.put(move->target.value);
    return encode_command(cluster_service, transfer_tag, payload);
  }
  const auto& change = std::get<raft::change_members>(what);
  out.put(change.based_on);
  out.put(static_cast<std::uint32_t>(change.add.size()));
  for (const auto& one : change.add) {
    out.put(one.who.id.value);
    out.put_string(one.who.address);
    out.put(static_cast<std::uint8_t>(one.votes));
    out.put(one.replaces.value);
  }
  out.put(static_cast<std::uint32_t>(change.remove.size()));
  for (const auto id : change.remove) out.put(id.value);
  return encode_command(cluster_service, members_tag, payload);
}

std::optional<member_command> decode_member_command(std::string_view data) {
  const auto parts = decode_command(data);
  if (!parts || parts->service != cluster_service) return std::nullopt;
  if (parts->tag == members_tag) return decode_change(parts->payload);
  if (parts->tag != transfer_tag) return std::nullopt;
  raft::reader in{parts->payload};
  const raft::transfer_leadership move{0, {in.get<std::uint64_t>()}};
  return in.done() ? std::optional<member_command>{move} : std::nullopt;
}

bool lacks_address(const member_command& what) {
  const auto* change = std::get_if<raft::change_members>(&what);
  return change && std::any_of(change->add.begin(), change->add.end(),
                               [](const raft::addition& one) { return one.who.address.empty(); });
}

} // namespace troupe::services
