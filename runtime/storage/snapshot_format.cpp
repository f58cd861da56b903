#include "runtime/storage/snapshot_format.hpp"

#include "raft/base/codec.hpp"
#include "runtime/storage/checksum.hpp"

namespace troupe::snapshot_format {
namespace {

constexpr std::string_view suffix = ".snapshot";

std::uint64_t record_checksum(std::string_view head, std::string_view body, std::uint64_t seed, std::uint64_t offset) {
  // Uses the body's checksum instead of the body, so that header and body need not be copied together.
  std::string text{head.substr(checksum_size)};
  raft::writer{text}.put(checksum(body, seed ^ offset));
  return checksum(text, seed ^ offset);
}

} // namespace

std::string encode(const header& value) {
  std::string body;
  raft::writer to_body{body};
  to_body.put(value.cluster.value);
  to_body.put(value.at.last.index);
  to_body.put(value.at.last.term);
  to_body.put(value.at.configuration_index);
  to_body.put_string(raft::encode(value.at.members));
  std::string out;
  raft::writer to{out};
  to.put_raw(magic);
  to.put(version);
  to.put_string(body);
  to.put(checksum(out));
  return out;
}

header_state decode_prefix(std::string_view prefix, std::size_t& size, std::uint32_t& found) {
  raft::reader from{prefix};
  if (from.get_raw(magic.size()) != magic) return header_state::bad;
  found = from.get<std::uint32_t>();
  const auto length = from.get<std::uint32_t>();
  if (!from.ok()) return header_state::bad;
  if (found != version) return header_state::other_version;
  if (length > max_body) return header_state::bad;
  size = prefix_size + length + checksum_size;
  return header_state::valid;
}

std::optional<header> decode(std::string_view bytes) {
  if (bytes.size() < prefix_size + checksum_size) return {};
  const auto covered = bytes.substr(0, bytes.size() - checksum_size);
  if (seed_of(bytes) != checksum(covered)) return {};
  raft::reader from{covered.substr(prefix_size)};
  header value;
  value.cluster.value = from.get<std::uint64_t>();
  value.at.last.index = from.get<std::uint64_t>();
  value.at.last.term = from.get<std::uint64_t>();
  value.at.configuration_index = from.get<std::uint64_t>();
  auto members = raft::decode_configuration(from.get_string());
  if (!members || !from.done()) return {};
  value.at.members = *std::move(members);
  return value;
}

std::uint64_t seed_of(std::string_view header_bytes) {
  return raft::reader{header_bytes.substr(header_bytes.size() - checksum_size)}.get<std::uint64_t>();
}

std::string encode_record_header(record_type type, std::string_view body, std::uint64_t seed, std::uint64_t offset) {
  std::string rest(checksum_size, '\0');
  raft::writer to_rest{rest};
  to_rest.put(static_cast<std::uint32_t>(body.size()));
  to_rest.put(static_cast<std::uint8_t>(type));
  to_rest.put_raw(std::string_view{"\0\0\0", 3});
  std::string out;
  raft::writer to{out};
  to.put(record_checksum(rest, body, seed, offset));
  to.put_raw(std::string_view{rest}.substr(checksum_size));
  return out;
}

std::optional<record_head> decode_record_header(std::string_view bytes) {
  raft::reader from{bytes};
  from.get<std::uint64_t>(); // checksum
  record_head head;
  head.length = from.get<std::uint32_t>();
  const auto type = from.get<std::uint8_t>();
  const auto reserved = from.get_raw(3);
  if (!from.ok() || reserved != std::string_view{"\0\0\0", 3} || head.length > max_body) return {};
  if (type < static_cast<std::uint8_t>(record_type::section) || type > static_cast<std::uint8_t>(record_type::end))
    return {};
  head.type = static_cast<record_type>(type);
  return head;
}

bool valid(std::string_view head, std::string_view body, std::uint64_t seed, std::uint64_t offset) {
  return raft::reader{head}.get<std::uint64_t>() == record_checksum(head, body, seed, offset);
}

std::string encode(const totals& value) {
  std::string out;
  raft::writer to{out};
  for (const auto number : {value.sections, value.blocks, value.data, value.size, value.checksum}) to.put(number);
  return out;
}

std::optional<totals> decode_totals(std::string_view body) {
  raft::reader from{body};
  totals value;
  for (auto* number : {&value.sections, &value.blocks, &value.data, &value.size, &value.checksum})
    *number = from.get<std::uint64_t>();
  if (!from.done()) return {};
  return value;
}

std::string file_name(const raft::snapshot_id& id) { return to_string(id) + std::string{suffix}; }

std::optional<raft::snapshot_id> parse_file_name(std::string_view name) {
  if (!name.ends_with(suffix)) return {};
  return parse_snapshot_id(name.substr(0, name.size() - suffix.size()));
}

} // namespace troupe::snapshot_format
