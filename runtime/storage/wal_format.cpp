#include "runtime/storage/wal_format.hpp"

#include "raft/base/codec.hpp"
#include "runtime/storage/checksum.hpp"

#include <charconv>

namespace troupe::wal_format {
namespace {

constexpr std::string_view magic = "troupWAL";
constexpr std::string_view suffix = ".wal";
constexpr std::size_t checksum_size = 8;
constexpr std::size_t flags_at = 14;
constexpr char ends_batch_flag = 1;
constexpr std::size_t entry_fixed = 16;     // index, term
constexpr std::size_t truncate_size = 8;    // from
constexpr std::size_t hard_state_size = 16; // term, vote
constexpr std::size_t reset_size = 16;      // index, term

constexpr std::size_t padded(std::size_t size) { return (size + alignment - 1) / alignment * alignment; }

void put_header(raft::writer& out, record_type type, std::uint8_t kind, std::uint64_t batch, std::size_t length) {
  out.put(std::uint64_t{0});
  out.put(static_cast<std::uint32_t>(length));
  out.put(static_cast<std::uint8_t>(type));
  out.put(kind);
  out.put(std::uint16_t{0}); // flags, reserved
  out.put(batch);
}

/// Never 0, so that a record never starts with eight zero bytes.
std::uint64_t record_checksum(std::string_view record_bytes, std::uint64_t unique, std::uint64_t offset) {
  const auto sum = checksum(record_bytes.substr(checksum_size), unique ^ offset);
  return sum == 0 ? 1 : sum;
}

bool plausible(std::uint8_t type, std::uint8_t kind, std::uint32_t length) {
  switch (static_cast<record_type>(type)) {
  case record_type::entry:
    return raft::is_entry_kind(kind) && length >= entry_fixed && length <= entry_fixed + max_data;
  case record_type::truncate:
    return kind == 0 && length == truncate_size;
  case record_type::hard_state:
    return kind == 0 && length == hard_state_size;
  case record_type::reset:
    return kind == 0 && length == reset_size;
  }
  return false;
}

} // namespace

std::string encode(const segment_header& header) {
  std::string out;
  raft::writer to{out};
  to.put_raw(magic);
  to.put(header.format);
  to.put(static_cast<std::uint32_t>(first_record));
  to.put(header.sequence);
  to.put(header.unique);
  to.put(header.first_index);
  to.put(header.previous_term);
  to.put(header.first_batch);
  to.put(header.hard.term);
  to.put(header.hard.voted_for.value);
  to.put(header.previous_end);
  to.put(header.capacity);
  to.put(checksum(out));
  return out;
}

header_state decode(std::string_view bytes, segment_header& out) {
  if (bytes.size() < header_size) return header_state::bad;
  raft::reader from{bytes.substr(0, header_size)};
  if (from.get_raw(magic.size()) != magic) return header_state::bad;
  // The version comes before the checksum: a later version may keep its checksum elsewhere.
  segment_header header;
  header.format = from.get<std::uint32_t>();
  if (header.format == 0 || header.format > version) {
    out.format = header.format;
    return header_state::other_version;
  }
  const auto records_at = from.get<std::uint32_t>();
  header.sequence = from.get<std::uint64_t>();
  header.unique = from.get<std::uint64_t>();
  header.first_index = from.get<std::uint64_t>();
  header.previous_term = from.get<std::uint64_t>();
  header.first_batch = from.get<std::uint64_t>();
  header.hard.term = from.get<std::uint64_t>();
  header.hard.voted_for.value = from.get<std::uint64_t>();
  header.previous_end = from.get<std::uint64_t>();
  header.capacity = from.get<std::uint64_t>();
  if (from.get<std::uint64_t>() != checksum(bytes.substr(0, header_size - checksum_size))) return header_state::bad;
  if (records_at != first_record) return header_state::bad;
  out = header;
  return header_state::valid;
}

std::size_t entry_size(std::size_t data_size) { return record_header_size + padded(entry_fixed + data_size); }

std::size_t encoded_size(const raft::write& change) {
  std::size_t size = 0;
  if (change.hard) size += record_header_size + hard_state_size;
  if (change.reset_to) size += record_header_size + reset_size;
  if (change.truncate_from) size += record_header_size + truncate_size;
  for (const auto& value : change.append) size += entry_size(value.data.size());
  return size;
}

void put(std::string& batch_bytes, std::uint64_t batch, const raft::entry& value) {
  raft::writer out{batch_bytes};
  put_header(out, record_type::entry, static_cast<std::uint8_t>(value.kind), batch, entry_fixed + value.data.size());
  out.put(value.index);
  out.put(value.term);
  out.put_raw(value.data.view());
  batch_bytes.resize(padded(batch_bytes.size()));
}

void put_truncate(std::string& batch_bytes, std::uint64_t batch, raft::index_t from) {
  raft::writer out{batch_bytes};
  put_header(out, record_type::truncate, 0, batch, truncate_size);
  out.put(from);
}

void put(std::string& batch_bytes, std::uint64_t batch, const raft::hard_state& value) {
  raft::writer out{batch_bytes};
  put_header(out, record_type::hard_state, 0, batch, hard_state_size);
  out.put(value.term);
  out.put(value.voted_for.value);
}

void put_reset(std::string& batch_bytes, std::uint64_t batch, const raft::log_position& start) {
  raft::writer out{batch_bytes};
  put_header(out, record_type::reset, 0, batch, reset_size);
  out.put(start.index);
  out.put(start.term);
}

void seal(std::string& batch_bytes, std::uint64_t unique, std::uint64_t offset) {
  const std::string_view all = batch_bytes;
  for (std::size_t at = 0; at < all.size();) {
    const auto size = *claimed_size(all.substr(at));
    // If a batch could not be written, records may have been added after it was sealed.
    batch_bytes[at + flags_at] = at + size == all.size() ? ends_batch_flag : '\0';
    const auto sum = record_checksum(all.substr(at, size), unique, offset + at);
    std::string raw;
    raft::writer{raw}.put(sum);
    batch_bytes.replace(at, checksum_size, raw);
    at += size;
  }
}

std::optional<std::uint64_t> claimed_size(std::string_view bytes) {
  raft::reader in{bytes.substr(0, record_header_size)};
  in.get<std::uint64_t>();
  const auto length = in.get<std::uint32_t>();
  const auto type = in.get<std::uint8_t>();
  const auto kind = in.get<std::uint8_t>();
  const auto flags = in.get<std::uint8_t>();
  const auto reserved = in.get<std::uint8_t>();
  if (!in.ok() || flags > ends_batch_flag || reserved != 0 || !plausible(type, kind, length)) return {};
  return record_header_size + padded(length);
}

std::optional<record> parse_unsealed(std::string_view bytes) {
  const auto size = claimed_size(bytes);
  if (!size || *size > bytes.size()) return {};
  raft::reader in{bytes};
  in.get<std::uint64_t>(); // checksum
  record found;
  const auto length = in.get<std::uint32_t>();
  found.type = static_cast<record_type>(in.get<std::uint8_t>());
  found.kind = in.get<std::uint8_t>();
  found.ends_batch = in.get<std::uint8_t>() == ends_batch_flag;
  in.get<std::uint8_t>(); // reserved
  found.batch = in.get<std::uint64_t>();
  found.body = in.get_raw(length);
  found.stored_size = *size;
  return found;
}

std::optional<record> parse(std::string_view bytes, std::uint64_t unique, std::uint64_t offset) {
  const auto found = parse_unsealed(bytes);
  if (!found) return {};
  const auto sum = record_checksum(bytes.substr(0, found->stored_size), unique, offset);
  return raft::reader{bytes}.get<std::uint64_t>() == sum ? found : std::nullopt;
}

entry_body decode_entry(const record& from) {
  raft::reader in{from.body};
  entry_body body;
  body.index = in.get<std::uint64_t>();
  body.term = in.get<std::uint64_t>();
  body.data = in.get_raw(in.left());
  return body;
}

raft::index_t decode_truncate(const record& from) { return raft::reader{from.body}.get<std::uint64_t>(); }

raft::hard_state decode_hard_state(const record& from) {
  raft::reader in{from.body};
  raft::hard_state value;
  value.term = in.get<std::uint64_t>();
  value.voted_for.value = in.get<std::uint64_t>();
  return value;
}

raft::log_position decode_reset(const record& from) {
  raft::reader in{from.body};
  raft::log_position start;
  start.index = in.get<std::uint64_t>();
  start.term = in.get<std::uint64_t>();
  return start;
}

std::string segment_name(std::uint64_t sequence) {
  // Sixteen hexadecimal digits sort in numeric order.
  return raft::to_string(raft::node_id{sequence}) + std::string{suffix};
}

std::optional<std::uint64_t> parse_segment_name(std::string_view name) {
  if (!name.ends_with(suffix)) return {};
  name.remove_suffix(suffix.size());
  std::uint64_t sequence = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), sequence, 16);
  if (error != std::errc{} || end != name.data() + name.size() ||
      segment_name(sequence) != std::string{name} + std::string{suffix})
    return {};
  return sequence;
}

} // namespace troupe::wal_format
