#include "runtime/storage/snapshot_reader.hpp"

#include "runtime/storage/damage.hpp"
#include "runtime/storage/reading_stopped.hpp"

#include <algorithm>
#include <utility>

namespace troupe {

using snapshot_format::record_type;

namespace {

/// A service's name has 1 to 255 bytes (services/service.hpp), and a node has a handful of services. Without these
/// limits, a file that consists only of sections would take several times its size in memory.
constexpr std::size_t longest_name = 255;
constexpr std::uint64_t most_sections = 4096;

} // namespace

snapshot_reader::snapshot_reader(file_system& fs, std::filesystem::path path, file_role role)
    : path_(std::move(path)), role_(role), source_(fs.open_to_read(path_)) {
  read_header();
}

const char* snapshot_reader::role() const {
  switch (role_) {
  case file_role::snapshot:
    return "snapshot";
  case file_role::backup:
    return "backup";
  }
  return "file";
}

void snapshot_reader::damaged(const std::string& what, std::uint64_t offset) const {
  throw damage_error(std::string{"damaged "} + role() + ": " + what, path_, offset);
}

void snapshot_reader::incomplete(std::uint64_t offset) const {
  throw damage_error(std::string{"damaged "} + role() + ": incomplete: the file ends after " +
                         std::to_string(source_->size()) + " bytes, within the header or record",
                     path_, offset, role_ == file_role::backup ? "fetch it again" : "");
}

std::string snapshot_reader::read_exactly(std::uint64_t offset, std::size_t size) {
  std::string bytes(size, '\0');
  if (source_->read(offset, bytes) != size) incomplete(offset);
  return bytes;
}

void snapshot_reader::read_header() {
  std::size_t size = 0;
  std::uint32_t version = 0;
  std::string prefix(snapshot_format::prefix_size, '\0');
  prefix.resize(source_->read(0, prefix));
  if (!prefix.starts_with(snapshot_format::magic.substr(0, prefix.size())))
    throw damage_error(std::string{"not a "} + role() + " (it does not begin with `" +
                           std::string{snapshot_format::magic} + "`)",
                       path_, 0);
  if (prefix.size() < snapshot_format::prefix_size) incomplete(0);
  switch (snapshot_format::decode_prefix(prefix, size, version)) {
  case snapshot_format::header_state::valid:
    break;
  case snapshot_format::header_state::bad:
    damaged("bad header", 0);
  case snapshot_format::header_state::other_version:
    throw raft::storage_error(role() + (" " + path_.string()) + " has format version " + std::to_string(version) +
                              "; this program supports version " + std::to_string(snapshot_format::version));
  }
  const auto bytes = read_exactly(0, size);
  auto found = snapshot_format::decode(bytes);
  if (!found) damaged("bad header", 0);
  header_ = *std::move(found);
  seed_ = snapshot_format::seed_of(bytes);
  sum_.update(bytes);
  offset_ = size;
}

void snapshot_reader::read_record() {
  const auto at = record_at_ = offset_;
  const auto head = read_exactly(at, snapshot_format::record_header_size);
  const auto decoded = snapshot_format::decode_record_header(head);
  if (!decoded) damaged("bad record", at);
  // Detect a damaged length before allocating memory for it.
  if (decoded->length > source_->size() - at - head.size()) incomplete(at);
  body_.resize(decoded->length);
  if (source_->read(at + head.size(), body_) != body_.size()) incomplete(at);
  if (!snapshot_format::valid(head, body_, seed_, at)) damaged("bad record", at);
  head_ = *decoded;
  offset_ = at + head.size() + body_.size();
  if (head_.type == record_type::end) return;
  sum_.update(head);
  sum_.update(body_);
}

bool snapshot_reader::next_block() {
  read_record();
  if (head_.type != record_type::block) {
    in_section_ = false;
    left_ = {};
    return false;
  }
  ++totals_.blocks;
  totals_.data += body_.size();
  left_ = body_;
  return true;
}

bool snapshot_reader::next_section() {
  const bool first = totals_.sections == 0;
  while (in_section_ && next_block()) {
  }
  if (first) read_record();
  switch (head_.type) {
  case record_type::section:
    begin_section();
    return true;
  case record_type::block:
    damaged("a block outside any section", record_at_);
  case record_type::end:
    check_end();
    return false;
  }
  return false;
}

void snapshot_reader::begin_section() {
  if (body_.empty()) damaged("a section without a kind", record_at_);
  if (body_[0] != static_cast<char>(snapshot_format::section_kind::service))
    throw raft::storage_error(role() + (" " + path_.string()) + " has a section of kind " +
                              std::to_string(static_cast<unsigned char>(body_[0])) +
                              ", which this program does not know");
  section_ = body_.substr(1);
  if (section_.empty() || section_.size() > longest_name) damaged("invalid service name in a section", record_at_);
  if (totals_.sections == most_sections) damaged("more sections than a node can have services", record_at_);
  if (!sections_.insert(section_).second) damaged("duplicate section of a service", record_at_);
  ++totals_.sections;
  in_section_ = true;
  left_ = {};
}

std::size_t snapshot_reader::read(std::span<char> into) {
  std::size_t done = 0;
  while (done < into.size()) {
    if (left_.empty() && (!in_section_ || !next_block())) break;
    const auto size = left_.copy(into.data() + done, into.size() - done);
    left_.remove_prefix(size);
    done += size;
  }
  return done;
}

void snapshot_reader::check_end() {
  totals_.size = offset_;
  totals_.checksum = sum_.value();
  if (snapshot_format::decode_totals(body_) != totals_)
    damaged("the totals at the end do not match the content", record_at_);
  if (source_->size() != offset_) damaged("bytes after the end", offset_);
}

raft::snapshot_id snapshot_reader::announced_id() {
  const auto size = source_->size();
  if (size < snapshot_format::end_size) incomplete(0);
  const auto at = size - snapshot_format::end_size;
  const auto end = read_exactly(at, snapshot_format::end_size);
  const auto head = std::string_view{end}.substr(0, snapshot_format::record_header_size);
  const auto body = std::string_view{end}.substr(snapshot_format::record_header_size);
  const auto decoded = snapshot_format::decode_record_header(head);
  if (!decoded || decoded->type != record_type::end || !snapshot_format::valid(head, body, seed_, at))
    damaged("the end is missing", at);
  const auto found = snapshot_format::decode_totals(body);
  if (!found || found->size != size) damaged("the totals at the end do not match the content", at);
  return {header_.at.last, found->size, found->checksum};
}

snapshot_summary verify_snapshot(file_system& fs, const std::filesystem::path& path, file_role role,
                                 const std::stop_token& stop) {
  snapshot_reader reader{fs, path, role};
  snapshot_summary found;
  found.header = reader.header();
  std::string buffer(snapshot_format::max_body, '\0');
  while (reader.next_section()) {
    found.sections.push_back({reader.section(), 0});
    while (const auto size = reader.read(buffer)) {
      check(stop);
      found.sections.back().bytes += size;
    }
  }
  found.id = reader.id();
  return found;
}

} // namespace troupe
