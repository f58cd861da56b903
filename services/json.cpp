#include <troupe/json.hpp>

#include "raft/base/base64.hpp"
#include "raft/base/utf8.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <msgpack/null_visitor.hpp>
#include <msgpack/parse.hpp>
#include <msgpack/unpack.hpp>
#include <nlohmann/json.hpp>
#include <vector>

namespace troupe {
namespace {

/// The maximum length of an error text, which may quote the input.
constexpr std::size_t max_reason = 200;

std::string size_text(std::size_t bytes) {
  constexpr std::size_t mib = 1 << 20;
  return bytes % mib == 0 ? std::to_string(bytes / mib) + " MiB" : std::to_string(bytes) + " bytes";
}

std::string too_large(std::size_t most) { return "the value is larger than " + size_text(most); }

/// Receives the events of nlohmann's parser (which does not recurse) and writes msgpack. JSON does not announce how
/// many elements follow, so containers get a header of fixed width that is filled in at their end; `value` makes it
/// canonical.
///
/// It counts the bytes of the canonical form, and rejects the value as soon as they exceed the limit.
class json_reader {
 public:
  enum class shape {
    value,
    /// An object whose members are separate values: the limits of nesting and size apply to each.
    members,
  };

  json_reader(shape what, std::size_t most) : most_(most), members_only_(what == shape::members) {}

  const std::string& out() const noexcept { return out_; }
  const std::string& reason() const noexcept { return reason_; }
  std::vector<std::pair<std::string, value>> take_members() { return std::move(members_); }

  bool null() {
    return put(seen::other, [&] { packer_.pack_nil(); });
  }
  bool boolean(bool v) {
    return put(v ? seen::yes : seen::other, [&] { v ? packer_.pack_true() : packer_.pack_false(); });
  }
  bool number_integer(std::int64_t v) {
    number_ = v;
    return put(v >= INT8_MIN && v <= INT8_MAX ? seen::small_number : seen::other, [&] { packer_.pack_int64(v); });
  }
  bool number_unsigned(std::uint64_t v) {
    number_ = static_cast<std::int64_t>(v & INT8_MAX);
    return put(v <= INT8_MAX ? seen::small_number : seen::other, [&] { packer_.pack_uint64(v); });
  }
  bool number_float(double v, const std::string& written) {
    if (written.find_first_of(".eE") == std::string::npos)
      return refuse("the integer " + written.substr(0, 40) + " fits neither int64 nor uint64");
    return put(seen::other, [&] { packer_.pack_double(v); });
  }
  bool string(const std::string& text) {
    text_size_ = text.size();
    return put(seen::text, [&] { pack_text(text); });
  }
  bool binary(const nlohmann::json::binary_t&) { return refuse("JSON has no binary type"); }

  bool start_object(std::size_t) {
    if (!members_only_ || inside_) return open(0xdf);
    inside_ = true;
    return true;
  }
  bool key(const std::string& name) {
    if (open_.empty()) {
      name_ = name;
      return true;
    }
    auto& object = open_.back();
    ++object.elements;
    object.due = name == "$bin"   ? seen::text
                 : name == "$ext" ? seen::small_number
                 : name == "$str" ? seen::yes
                                  : seen::other;
    object.ordinary |= object.due == seen::other;
    const auto before = out_.size();
    pack_text(name);
    return count(out_.size() - before);
  }
  bool end_object() {
    if (open_.empty()) return true; // the object that contains the members
    const auto object = close();
    auto marked = object.ordinary ? std::nullopt : read_marker(object);
    if (marked) {
      out_.replace(object.begin, std::string::npos, *marked);
      counted_ = object.counted + marked->size();
    }
    return count(marked ? 0 : header_growth(object) + object.uncounted) && complete();
  }
  bool start_array(std::size_t) { return open(0xdd); }
  bool end_array() { return count(header_growth(close())) && complete(); }
  bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception& error) {
    const std::string_view what = error.what(); // "[json.exception.parse_error.101] parse error at line ..."
    const auto bracket = what.find("] ");
    return refuse(std::string(what.substr(bracket == what.npos ? 0 : bracket + 2)));
  }

 private:
  /// The kind of a member's value, as far as it matters for objects with "$bin".
  enum class seen { text, small_number, yes, other };

  struct container {
    std::size_t begin = 0;   // offset of its header in `out_`
    std::size_t counted = 0; // bytes counted before it
    std::uint32_t elements = 0;
    bool is_array = false;
    /// It cannot be an object with "$bin" that represents another type.
    bool ordinary = false;
    /// The kind that the value of the member read last must have in an object with "$bin".
    seen due = seen::other;
    bool has_bin = false;
    std::size_t bin = 0; // offset of the text in `out_`
    std::size_t bin_size = 0;
    std::optional<std::int8_t> ext = std::nullopt;
    bool str = false;
    /// Bytes of that text that are not counted, because the decoded text may be shorter.
    std::size_t uncounted = 0;
  };
  static constexpr std::size_t header_size = 5;

  bool refuse(std::string reason) {
    reason_ = std::move(reason);
    if (reason_.size() > max_reason) reason_.replace(max_reason, std::string::npos, "...");
    return false;
  }
  void pack_text(const std::string& text) {
    const auto size = static_cast<std::uint32_t>(text.size());
    packer_.pack_str(size).pack_str_body(text.data(), size);
  }
  bool count(std::size_t bytes) {
    counted_ += bytes;
    // The names and the header of an object with "$bin" may exceed the limit until they are replaced.
    constexpr std::size_t tolerance = 32;
    return counted_ <= most_ || counted_ - most_ <= tolerance || refuse(too_large(most_));
  }
  /// The size of the canonical header beyond its first byte.
  static std::size_t header_growth(const container& of) {
    return of.elements <= 15 ? 0 : of.elements <= UINT16_MAX ? 2 : 4;
  }

  template <class Write> bool put(seen what, const Write& write) {
    if (members_only_ && !inside_) return refuse("it is not a JSON object");
    const auto before = out_.size();
    write();
    auto size = out_.size() - before;
    if (!open_.empty()) size -= note(open_.back(), what);
    return count(size) && complete();
  }
  /// Records a value in a container. Returns how many of its bytes are not counted yet.
  std::size_t note(container& in, seen what) {
    if (in.is_array) {
      ++in.elements;
      return 0;
    }
    if (in.ordinary) return 0;
    in.ordinary = what != in.due || (what == seen::text && in.has_bin);
    if (in.ordinary) return 0;
    if (what == seen::small_number) in.ext = static_cast<std::int8_t>(number_);
    if (what == seen::yes) in.str = true;
    if (what != seen::text) return 0;
    in.has_bin = true;
    in.bin = out_.size() - text_size_;
    in.bin_size = text_size_;
    in.uncounted = text_size_ / 4;
    return in.uncounted;
  }
  bool open(unsigned char header) {
    if (members_only_ && !inside_) return refuse("it is not a JSON object");
    if (open_.size() == max_msgpack_depth) return refuse("it is nested deeper than 64");
    if (!open_.empty()) note(open_.back(), seen::other);
    open_.push_back({.begin = out_.size(), .counted = counted_, .is_array = header == 0xdd});
    out_ += static_cast<char>(header);
    out_.append(header_size - 1, '\0');
    return count(1);
  }
  container close() {
    const auto closed = open_.back();
    open_.pop_back();
    for (std::size_t i = 1; i < header_size; ++i)
      out_[closed.begin + i] = static_cast<char>((closed.elements >> (8 * (header_size - 1 - i))) & 0xff);
    return closed;
  }
  /// Called at the end of each value, which may be that of a member.
  bool complete() {
    if (!members_only_ || !open_.empty()) return true;
    std::string why;
    auto made = value::from_msgpack(out_, &why);
    if (!made) return refuse(std::move(why));
    if (made->size() > most_) return refuse(too_large(most_));
    members_.emplace_back(std::move(name_), std::move(*made));
    out_.clear();
    counted_ = 0;
    return true;
  }

  /// The encoding of the value that a `{"$bin": ...}` object represents; nullopt for an ordinary object.
  std::optional<std::string> read_marker(const container& object) const {
    const auto expected = 1u + (object.ext ? 1u : 0u) + (object.str ? 1u : 0u);
    if (!object.has_bin || (object.ext && object.str) || object.elements != expected) return std::nullopt;
    const auto data = base::from_base64(std::string_view(out_).substr(object.bin, object.bin_size));
    if (!data || (object.str && base::is_utf8(*data))) return std::nullopt;
    std::string out;
    detail::string_sink sink{out};
    detail::packer packer(sink);
    const auto size = static_cast<std::uint32_t>(data->size());
    if (object.ext)
      packer.pack_ext(size, *object.ext).pack_ext_body(data->data(), size);
    else if (object.str)
      packer.pack_str(size).pack_str_body(data->data(), size);
    else
      packer.pack_bin(size).pack_bin_body(data->data(), size);
    return out;
  }

  const std::size_t most_;
  const bool members_only_;
  bool inside_ = false;
  std::string out_;
  detail::string_sink sink_{out_};
  detail::packer packer_{sink_};
  std::vector<container> open_;
  std::size_t counted_ = 0;
  std::int64_t number_ = 0;
  std::size_t text_size_ = 0;
  std::string name_;
  std::vector<std::pair<std::string, value>> members_;
  std::string reason_;
};

/// Why the text cannot be parsed; null if it can.
const char* objection(std::string_view text) {
  // The parser treats a zero byte as the end of the text, and would ignore the rest.
  if (text.find('\0') != text.npos) return "the text contains a zero byte";
  if (text.size() > UINT32_MAX) return "the text is larger than 4 GiB";
  return nullptr;
}

/// Writes a canonical encoding as JSON. The last character determines whether a separator is needed: only the beginning
/// of a container ends in an opening bracket.
class json_writer : public msgpack::null_visitor {
 public:
  explicit json_writer(std::string& out) : out_(out) {}

  bool visit_nil() { return put("null"); }
  bool visit_boolean(bool v) { return put(v ? "true" : "false"); }
  bool visit_positive_integer(std::uint64_t v) { return put(std::to_string(v)); }
  bool visit_negative_integer(std::int64_t v) { return put(std::to_string(v)); }
  bool visit_float64(double v) {
    char digits[32];
    const auto end = std::to_chars(digits, digits + sizeof(digits), v).ptr;
    const std::string_view text(digits, static_cast<std::size_t>(end - digits));
    put(text);
    return text.find_first_of(".e") != text.npos || put(".0");
  }
  bool visit_str(const char* data, std::uint32_t size) {
    append_json_string(out_, {data, size});
    return true;
  }
  bool visit_bin(const char* data, std::uint32_t size) {
    return put("{\"$bin\":\"") && put(base::to_base64({data, size})) && put("\"}");
  }
  bool visit_ext(const char* data, std::uint32_t size) { // the first byte is the type
    const int type = static_cast<std::int8_t>(data[0]);  // NOLINT(bugprone-signed-char-misuse): the type has a sign
    return put("{\"$bin\":\"") && put(base::to_base64({data + 1, size - 1})) && put("\",\"$ext\":") &&
           put(std::to_string(type)) && put("}");
  }
  bool start_array(std::uint32_t) { return put("["); }
  bool start_array_item() { return separate(); }
  bool end_array() { return put("]"); }
  bool start_map(std::uint32_t) { return put("{"); }
  bool start_map_key() { return separate(); }
  bool end_map_key() { return put(":"); }
  bool end_map() { return put("}"); }

 private:
  bool put(std::string_view text) {
    out_ += text;
    return true;
  }
  bool separate() { return out_.back() == '[' || out_.back() == '{' || put(","); }

  std::string& out_;
};

} // namespace

std::optional<value> from_json(std::string_view text, std::string* why, std::size_t most) {
  const auto refuse = [why](std::string reason) -> std::optional<value> {
    if (why) *why = std::move(reason);
    return std::nullopt;
  };
  if (const auto* no = objection(text)) return refuse(no);
  json_reader reader(json_reader::shape::value, most);
  if (!nlohmann::json::sax_parse(text, &reader)) return refuse(reader.reason());
  auto made = value::from_msgpack(reader.out(), why);
  if (made && made->size() > most) return refuse(too_large(most));
  return made;
}

std::optional<std::vector<std::pair<std::string, value>>> members_from_json(std::string_view text, std::string* why,
                                                                            std::size_t most) {
  json_reader reader(json_reader::shape::members, most);
  const auto* no = objection(text);
  if (!no && nlohmann::json::sax_parse(text, &reader)) return reader.take_members();
  if (why) *why = no ? no : reader.reason();
  return std::nullopt;
}

std::string to_json(const value& shown) {
  std::string out;
  json_writer writer(out);
  msgpack::parse(shown.encoded().data(), shown.size(), writer);
  return out;
}

void append_json_string(std::string& out, std::string_view text) {
  if (!base::is_utf8(text)) {
    out.append("{\"$bin\":\"").append(base::to_base64(text)).append("\",\"$str\":true}");
    return;
  }
  constexpr char digits[] = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20)
      out.append("\\u00").append({digits[byte >> 4], digits[byte & 15]});
    else if (c == '"' || c == '\\')
      out.append({'\\', c});
    else
      out += c;
  }
  out += '"';
}

} // namespace troupe
