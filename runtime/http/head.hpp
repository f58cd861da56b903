// The head of an HTTP/1 request, read strictly: RFC 9112 without the forms that it only tolerates. If two programs read
// a lenient form differently, an attacker can make them disagree on where a request ends (request smuggling), so such
// forms are refused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace troupe::http {

/// Why a request is refused, as stated in the answer.
struct problem {
  unsigned status = 400;
  std::string code = "bad_request";
  std::string message;
};

struct head {
  std::string method;
  /// As sent by the client.
  std::string target;
  std::vector<std::pair<std::string, std::string>> headers;
  bool http_1_0 = false;
  bool keep_alive = true;
  /// "Expect: 100-continue".
  bool expects_continue = false;
  /// The body is sent in chunks. If false, it has `length` bytes.
  bool chunked = false;
  std::uint64_t length = 0;
  /// The value of `Host`, as sent. Empty only in HTTP/1.0.
  std::string host;
};

/// Limit of the header fields of a request. Each needs 64 bytes in addition to its text.
inline constexpr std::size_t max_headers = 100;

/// Parses `text`, the whole head with the empty line at its end. Refuses, among others: line ends other than CRLF,
/// control characters, folded lines, a space before a colon, more than one `Host`, `Content-Length` or
/// `Transfer-Encoding`, both of the latter together, a transfer encoding other than chunked (501) or in HTTP/1.0, a
/// target whose authority differs from `Host`, more than `max_headers` fields (431).
std::variant<head, problem> parse_head(std::string_view text);

/// Returns where the head at the beginning of `text` ends (after its empty line), or 0 if it is incomplete. The bytes
/// before `seen` were checked by earlier calls. Returns a problem as soon as it finds an invalid line end or a control
/// character.
std::variant<std::size_t, problem> find_head_end(std::string_view text, std::size_t seen);

/// Whether `line` is a valid field line. `line` excludes the line end.
bool is_field_line(std::string_view line);
/// Visible ASCII, space, tab, and bytes beyond ASCII.
bool is_field_byte(char c);
bool is_token_byte(char c);
/// Compares without regard to ASCII case.
bool same_text(std::string_view a, std::string_view b);

} // namespace troupe::http
