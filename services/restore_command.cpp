#include "services/restore_command.hpp"

#include "raft/base/codec.hpp"
#include "services/command.hpp"

namespace troupe::services {
namespace {

constexpr std::string_view restore_tag = "restore";

std::optional<raft::snapshot_id> decode(std::string_view data) noexcept {
  const auto parts = decode_command(data);
  if (!parts || parts->service != cluster_service || parts->tag != restore_tag) return std::nullopt;
  raft::reader from{parts->payload};
  raft::snapshot_id backup;
  backup.last.index = from.get<std::uint64_t>();
  backup.last.term = from.get<std::uint64_t>();
  backup.size = from.get<std::uint64_t>();
  backup.checksum = from.get<std::uint64_t>();
  if (!from.done() || !backup) return std::nullopt;
  return backup;
}

} // namespace

std::string encode_restore(const raft::snapshot_id& backup) {
  std::string payload;
  raft::writer to{payload};
  for (const auto number : {backup.last.index, backup.last.term, backup.size, backup.checksum}) to.put(number);
  return encode_command(cluster_service, restore_tag, payload);
}

std::optional<raft::snapshot_id> restored_by(std::string_view data, raft::index_t index) noexcept {
  const auto backup = decode(data);
  return backup && backup->last.index < index ? backup : std::nullopt;
}

std::string why_no_restore(std::string_view data) {
  if (!decode(data)) return "this program does not know this command to the cluster";
  return "the backup has later indexes than the log into which it is restored: revisions would go backwards";
}

} // namespace troupe::services
