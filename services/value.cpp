#include <troupe/value.hpp>

#include "raft/base/utf8.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <msgpack/null_visitor.hpp>
#include <msgpack/parse.hpp>
#include <msgpack/unpack.hpp>
#include <vector>

namespace troupe {
namespace {

/// Receives the events of msgpack-c's parser (which does not recurse) and writes the canonical form.
class canonical_writer : public msgpack::null_visitor {
 public:
  explicit canonical_writer(std::string& out) : out_(out), sink_{out}, packer_(sink_) {}

  /// Why a value was rejected; null if the bytes are not valid msgpack.
  const char* reason() const noexcept { return reason_; }

  bool visit_nil() { return done(packer_.pack_nil()); }
  bool visit_boolean(bool v) { return done(v ? packer_.pack_true() : packer_.pack_false()); }
  bool visit_positive_integer(std::uint64_t v) { return done(packer_.pack_uint64(v)); }
  bool visit_negative_integer(std::int64_t v) {
    return v < 0 ? done(packer_.pack_int64(v)) : visit_positive_integer(static_cast<std::uint64_t>(v));
  }
  bool visit_float32(float v) { return visit_float64(static_cast<double>(v)); }
  bool visit_float64(double v) {
    return std::isfinite(v) ? done(packer_.pack_double(v)) : refuse("a number is not finite");
  }
  bool visit_str(const char* data, std::uint32_t size) {
    return done(packer_.pack_str(size).pack_str_body(data, size));
  }
  bool visit_bin(const char* data, std::uint32_t size) {
    return done(packer_.pack_bin(size).pack_bin_body(data, size));
  }
  bool visit_ext(const char* data, std::uint32_t size) { // the first byte is the type
    return done(packer_.pack_ext(size - 1, static_cast<std::int8_t>(data[0])).pack_ext_body(data + 1, size - 1));
  }

  bool start_array(std::uint32_t elements) { return open() && done(packer_.pack_array(elements)); }
  bool end_array() { return close(); }
  bool start_map(std::uint32_t pairs) {
    if (!open()) return false;
    packer_.pack_map(pairs);
    first_entry_.push_back(entries_.size());
    return true;
  }
  bool start_map_key() {
    entries_.push_back({out_.size(), 0, 0});
    return true;
  }
  bool end_map_key() {
    auto& current = entries_.back();
    current.key_end = out_.size();
    const auto text = string_in(bytes(current.begin, current.key_end));
    if (!text) return refuse("an object key is not a string");
    return base::is_utf8(*text) || refuse("an object key is not valid UTF-8");
  }
  bool end_map_value() {
    entries_.back().end = out_.size();
    return true;
  }
  bool end_map() { return close() && sort_entries(); }

 private:
  /// The offsets of an open object's entry in `out_`.
  struct entry {
    std::size_t begin, key_end, end;
  };

  bool done(const detail::packer&) { return true; }
  bool refuse(const char* reason) {
    reason_ = reason;
    return false;
  }
  bool open() { return ++depth_ <= max_msgpack_depth || refuse("it is nested deeper than 64"); }
  bool close() {
    --depth_;
    return true;
  }

  std::string_view bytes(std::size_t begin, std::size_t end) const {
    return std::string_view(out_).substr(begin, end - begin);
  }

  /// The text of an encoded string; nullopt for any other kind of value.
  static std::optional<std::string_view> string_in(std::string_view encoded) {
    const auto head = static_cast<unsigned char>(encoded.front());
    const bool fixed = (head & 0xe0) == 0xa0;
    if (!fixed && (head < 0xd9 || head > 0xdb)) return std::nullopt;
    return encoded.substr(fixed ? 1 : 1 + (std::size_t{1} << (head - 0xd9)));
  }

  /// Sorts the entries of the innermost object at its end. Most objects arrive sorted and need no change.
  bool sort_entries() {
    const auto key = [this](const entry& e) { return bytes(e.begin, e.key_end); };
    const auto before = [&key](const entry& a, const entry& b) { return key(a) < key(b); };
    const auto not_before = [&before](const entry& a, const entry& b) { return !before(a, b); };
    const auto first = entries_.begin() + static_cast<std::ptrdiff_t>(first_entry_.back());
    const auto last = entries_.end();
    if (std::adjacent_find(first, last, not_before) != last) {
      const auto begin = first->begin;
      std::sort(first, last, before);
      if (std::adjacent_find(first, last, not_before) != last) return refuse("an object has the same key twice");
      std::string sorted;
      sorted.reserve(out_.size() - begin);
      for (auto e = first; e != last; ++e) sorted += bytes(e->begin, e->end);
      out_.replace(begin, std::string::npos, sorted);
    }
    entries_.erase(first, last);
    first_entry_.pop_back();
    return true;
  }

  std::string& out_;
  detail::string_sink sink_;
  detail::packer packer_;
  const char* reason_ = nullptr;
  std::size_t depth_ = 0;
  std::vector<entry> entries_;           // of all open objects, the innermost last
  std::vector<std::size_t> first_entry_; // index in entries_ of each open object's first entry
};

} // namespace

std::optional<value> value::from_msgpack(std::string_view encoded, std::string* why) {
  if (encoded.size() > UINT32_MAX) {
    if (why) *why = "it is larger than 4 GiB";
    return std::nullopt;
  }
  std::string canonical;
  canonical.reserve(encoded.size());
  canonical_writer writer(canonical);
  std::size_t read = 0;
  if (msgpack::parse(encoded.data(), encoded.size(), read, writer) && read == encoded.size())
    return value(std::move(canonical));
  if (why) *why = writer.reason() ? writer.reason() : "it is not exactly one msgpack value";
  return std::nullopt;
}

} // namespace troupe
