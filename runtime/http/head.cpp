#include "runtime/http/head.hpp"

#include "runtime/http/host_rules.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace troupe::http {

namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

problem bad(std::string message) { return {400, "bad_request", "malformed request: " + std::move(message)}; }

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// Removes the first line with its CRLF from `text`, and returns it without the CRLF.
std::string_view take_line(std::string_view& text) {
  const auto line = text.substr(0, text.find("\r\n"));
  text.remove_prefix(line.size() + 2);
  return line;
}

/// Whether `word` is one of the comma-separated words of a field.
bool has_word(std::string_view list, std::string_view word) {
  for (;;) {
    const auto comma = list.find(',');
    if (same_text(trimmed(list.substr(0, comma)), word)) return true;
    if (comma == list.npos) return false;
    list.remove_prefix(comma + 1);
  }
}

/// Collects the fields that decide where the request ends and which host it is for.
class head_reader {
 public:
  std::optional<problem> start_line(std::string_view line) {
    const auto first = line.find(' ');
    const auto second = first == line.npos ? line.npos : line.find(' ', first + 1);
    if (second == line.npos) return bad("the first line is not a request line");
    const auto method = line.substr(0, first);
    const auto target = line.substr(first + 1, second - first - 1);
    const auto version = line.substr(second + 1);
    if (method.empty() || !std::all_of(method.begin(), method.end(), is_token_byte)) return bad("bad method");
    const auto visible = [](char c) { return c > 0x20 && c < 0x7f; };
    if (target.empty() || !std::all_of(target.begin(), target.end(), visible)) return bad("bad target");
    if (version != "HTTP/1.1" && version != "HTTP/1.0")
      return bad("unsupported version (supported: HTTP/1.1, HTTP/1.0)");
    out.method = method;
    out.target = target;
    out.http_1_0 = version == "HTTP/1.0";
    return std::nullopt;
  }

  std::optional<problem> field(std::string_view line) {
    if (!is_field_line(line)) return bad("bad header line");
    if (out.headers.size() == max_headers) return problem{431, "header_too_large", "too many headers"};
    const auto colon = line.find(':');
    const auto name = line.substr(0, colon);
    const auto value = trimmed(line.substr(colon + 1));
    out.headers.emplace_back(name, value);
    if (same_text(name, "Host")) return take(host_, value, "exactly one Host header is needed");
    if (same_text(name, "Content-Length")) return take(length_, value, "more than one Content-Length");
    if (same_text(name, "Transfer-Encoding")) return take(coding_, value, "more than one Transfer-Encoding");
    if (same_text(name, "Connection")) {
      close_ = close_ || has_word(value, "close");
      keep_ = keep_ || has_word(value, "keep-alive");
    }
    if (same_text(name, "Expect")) out.expects_continue = same_text(value, "100-continue");
    return std::nullopt;
  }

  std::optional<problem> finish() {
    out.keep_alive = !close_ && (keep_ || !out.http_1_0);
    if (out.http_1_0) out.expects_continue = false;
    if (auto why = framing()) return why;
    if (!host_) {
      if (out.http_1_0) return std::nullopt;
      return problem{400, "bad_request", "exactly one Host header is needed"};
    }
    if (!parse_authority(*host_)) return bad("bad Host");
    out.host = *host_;
    constexpr std::string_view scheme = "http://";
    if (!std::string_view(out.target).starts_with(scheme)) return std::nullopt;
    const auto rest = std::string_view(out.target).substr(scheme.size());
    if (!same_text(rest.substr(0, rest.find_first_of("/?")), *host_))
      return problem{400, "bad_request", "the target and Host name different authorities"};
    return std::nullopt;
  }

  head out;

 private:
  static std::optional<problem> take(std::optional<std::string_view>& into, std::string_view value, const char* twice) {
    if (into) return problem{400, "bad_request", twice};
    into = value;
    return std::nullopt;
  }

  std::optional<problem> framing() {
    if (coding_) {
      if (out.http_1_0) return bad("HTTP/1.0 has no Transfer-Encoding");
      if (length_) return bad("both Content-Length and Transfer-Encoding");
      // With another encoding the length is unknown, so the bytes that follow could be mistaken for the next request.
      if (!same_text(*coding_, "chunked"))
        return problem{501, "not_implemented", "the only supported transfer encoding is chunked"};
      out.chunked = true;
      return std::nullopt;
    }
    if (!length_) return std::nullopt;
    const auto end = length_->data() + length_->size();
    const auto [stop, failed] = std::from_chars(length_->data(), end, out.length);
    if (length_->empty() || failed != std::errc{} || stop != end) return bad("bad Content-Length");
    return std::nullopt;
  }

  // These point into the text.
  std::optional<std::string_view> host_, length_, coding_;
  bool close_ = false;
  bool keep_ = false;
};

} // namespace

bool same_text(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

bool is_token_byte(char c) {
  static constexpr auto table = [] {
    std::array<bool, 256> known{};
    for (const char letter :
         std::string_view("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ!#$%&'*+-.^_`|~"))
      known[static_cast<unsigned char>(letter)] = true;
    return known;
  }();
  return table[static_cast<unsigned char>(c)];
}

bool is_field_byte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte >= 0x20 && byte != 0x7f) || byte == '\t';
}

bool is_field_line(std::string_view line) {
  const auto colon = line.find(':');
  if (colon == line.npos || colon == 0) return false;
  return std::all_of(line.begin(), line.begin() + static_cast<std::ptrdiff_t>(colon), is_token_byte) &&
         std::all_of(line.begin(), line.end(), is_field_byte);
}

std::variant<std::size_t, problem> find_head_end(std::string_view text, std::size_t seen) {
  for (auto i = seen; i < text.size(); ++i) {
    const char c = text[i];
    if (is_field_byte(c)) continue;
    if (c == '\n' && i > 0 && text[i - 1] == '\r') {
      if (i >= 3 && text[i - 2] == '\n') return i + 1;
      continue;
    }
    // If the CR is the last byte, its LF may still arrive.
    if (c == '\r' && (i + 1 == text.size() || text[i + 1] == '\n')) continue;
    return bad("a control character in the head");
  }
  return std::size_t{0};
}

std::variant<head, problem> parse_head(std::string_view text) {
  head_reader reader;
  if (auto why = reader.start_line(take_line(text))) return std::move(*why);
  while (!text.starts_with("\r\n"))
    if (auto why = reader.field(take_line(text))) return std::move(*why);
  if (auto why = reader.finish()) return std::move(*why);
  return std::move(reader.out);
}

} // namespace troupe::http
