#include "services/json_value.hpp"

#include "services/base64.hpp"
#include "services/utf8.hpp"

#include <charconv>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>
#include <vector>

namespace troupe::services {
namespace {

std::string_view text_of(const msgpack::object_str& from) { return {from.ptr, from.size}; }

/// The encoding of what a `{"$bin": ...}` object stands for; nothing if it is an ordinary object. `object` is an
/// encoding that `json_reader` wrote.
std::optional<std::string> read_marker(std::string_view object) {
  msgpack::zone zone;
  const auto root = msgpack::unpack(zone, object.data(), object.size());
  std::optional<std::string> data;
  std::optional<std::int8_t> ext;
  bool str = false;
  for (const auto& member : std::span(root.via.map.ptr, root.via.map.size)) {
    const auto name = text_of(member.key.via.str);
    const auto& held = member.val;
    if (name == "$bin" && held.type == msgpack::type::STR && !data)
      data = from_base64(text_of(held.via.str));
    else if (name == "$ext" && held.type == msgpack::type::POSITIVE_INTEGER && held.via.u64 <= INT8_MAX)
      ext = static_cast<std::int8_t>(held.via.u64);
    else if (name == "$ext" && held.type == msgpack::type::NEGATIVE_INTEGER && held.via.i64 >= INT8_MIN)
      ext = static_cast<std::int8_t>(held.via.i64);
    else if (name == "$str" && held.type == msgpack::type::BOOLEAN && held.via.boolean)
      str = true;
    else
      return std::nullopt;
  }
  const auto expected = 1u + (ext ? 1u : 0u) + (str ? 1u : 0u);
  if (!data || (ext && str) || root.via.map.size != expected || (str && is_utf8(*data))) return std::nullopt;
  std::string out;
  detail::string_sink sink{out};
  detail::packer packer(sink);
  const auto size = static_cast<std::uint32_t>(data->size());
  if (ext)
    packer.pack_ext(size, *ext).pack_ext_body(data->data(), size);
  else if (str)
    packer.pack_str(size).pack_str_body(data->data(), size);
  else
    packer.pack_bin(size).pack_bin_body(data->data(), size);
  return out;
}

/// Listens to nlohmann's parser (which does not recurse) and writes msgpack. JSON does not announce how many elements
/// follow, so containers get a header of fixed width that is filled in at their end; `value` makes it canonical.
class json_reader {
 public:
  const std::string& out() const noexcept { return out_; }
  const std::string& reason() const noexcept { return reason_; }

  bool null() {
    return put([&] { packer_.pack_nil(); });
  }
  bool boolean(bool v) {
    return put([&] { v ? packer_.pack_true() : packer_.pack_false(); });
  }
  bool number_integer(std::int64_t v) {
    return put([&] { packer_.pack_int64(v); });
  }
  bool number_unsigned(std::uint64_t v) {
    return put([&] { packer_.pack_uint64(v); });
  }
  bool number_float(double v, const std::string& written) {
    if (written.find_first_of(".eE") == std::string::npos)
      return refuse("the integer " + written.substr(0, 40) + " fits neither int64 nor uint64");
    return put([&] { packer_.pack_double(v); });
  }
  bool string(const std::string& text) {
    return put([&] { pack_text(text); });
  }
  bool binary(const nlohmann::json::binary_t&) { return refuse("JSON has no binary"); }

  bool start_object(std::size_t) { return open(0xdf); }
  bool key(const std::string& name) {
    auto& object = open_.back();
    ++object.elements;
    object.has_bin |= name == "$bin";
    pack_text(name);
    return true;
  }
  bool end_object() {
    const auto object = close();
    if (!object.has_bin || object.elements > 2) return true;
    if (const auto marked = read_marker(std::string_view(out_).substr(object.begin)))
      out_.replace(object.begin, std::string::npos, *marked);
    return true;
  }
  bool start_array(std::size_t) { return open(0xdd); }
  bool end_array() {
    close();
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception& error) {
    const std::string_view what = error.what(); // "[json.exception.parse_error.101] parse error at line ..."
    const auto bracket = what.find("] ");
    return refuse(std::string(what.substr(bracket == what.npos ? 0 : bracket + 2)));
  }

 private:
  struct container {
    std::size_t begin = 0; // of its header in `out_`
    std::uint32_t elements = 0;
    bool is_array = false;
    bool has_bin = false;
  };
  static constexpr std::size_t header_size = 5;

  bool refuse(std::string reason) {
    reason_ = std::move(reason);
    return false;
  }
  void pack_text(const std::string& text) {
    const auto size = static_cast<std::uint32_t>(text.size());
    packer_.pack_str(size).pack_str_body(text.data(), size);
  }
  template <class Write> bool put(const Write& write) {
    if (!open_.empty() && open_.back().is_array) ++open_.back().elements;
    write();
    return true;
  }
  bool open(unsigned char header) {
    if (open_.size() == max_msgpack_depth) return refuse("it is nested deeper than 64");
    return put([&] {
      open_.push_back({.begin = out_.size(), .is_array = header == 0xdd});
      out_ += static_cast<char>(header);
      out_.append(header_size - 1, '\0');
    });
  }
  container close() {
    const auto closed = open_.back();
    open_.pop_back();
    for (std::size_t i = 1; i < header_size; ++i)
      out_[closed.begin + i] = static_cast<char>((closed.elements >> (8 * (header_size - 1 - i))) & 0xff);
    return closed;
  }

  std::string out_;
  detail::string_sink sink_{out_};
  detail::packer packer_{sink_};
  std::vector<container> open_;
  std::string reason_;
};

/// Writes JSON of a canonical encoding. Separators follow from what stands last: only a container's beginning ends in
/// an opening bracket.
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
    return put("{\"$bin\":\"") && put(to_base64({data, size})) && put("\"}");
  }
  bool visit_ext(const char* data, std::uint32_t size) { // the first byte is the type
    const int type = static_cast<std::int8_t>(data[0]);
    return put("{\"$bin\":\"") && put(to_base64({data + 1, size - 1})) && put("\",\"$ext\":") &&
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

std::optional<value> from_json(std::string_view text, std::string* why) {
  const auto refuse = [why](std::string reason) -> std::optional<value> {
    if (why) *why = std::move(reason);
    return std::nullopt;
  };
  // The parser takes a zero byte for the end of the text, and would not look at what follows.
  if (text.find('\0') != text.npos) return refuse("there is a zero byte in the text");
  if (text.size() > UINT32_MAX) return refuse("the text is larger than 4 GiB");
  json_reader reader;
  if (!nlohmann::json::sax_parse(text, &reader)) return refuse(reader.reason());
  return value::from_msgpack(reader.out(), why);
}

std::string to_json(const value& shown) {
  std::string out;
  json_writer writer(out);
  msgpack::parse(shown.encoded().data(), shown.size(), writer);
  return out;
}

void append_json_string(std::string& out, std::string_view text) {
  if (!is_utf8(text)) {
    out.append("{\"$bin\":\"").append(to_base64(text)).append("\",\"$str\":true}");
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

} // namespace troupe::services
