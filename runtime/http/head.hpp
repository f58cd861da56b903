// The head of an HTTP/1 request, read strictly: RFC 9112 without what it only tolerates. Two programs that read a
// lenient form differently can be made to disagree on where a request ends (request smuggling), so it is refused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace troupe::http {

/// Why a request is refused, as its answer says it.
struct problem {
  unsigned status = 400;
  std::string code = "bad_request";
  std::string message;
};

struct head {
  std::string method;
  /// As sent.
  std::string target;
  std::vector<std::pair<std::string, std::string>> headers;
  bool http_1_0 = false;
  bool keep_alive = true;
  /// "Expect: 100-continue".
  bool expects_continue = false;
  /// The body comes in chunks; else it has `length` bytes.
  bool chunked = false;
  std::uint64_t length = 0;
  /// Of `Host`, as sent; empty only in HTTP/1.0.
  std::string host;
};

/// Of a request. Each needs 64 bytes beside its text.
inline constexpr std::size_t max_headers = 100;

/// `text` is the whole head with the empty line at its end. Refused are, among others: line ends other than CRLF,
/// control characters, folded lines, space before a colon, more than one `Host`, `Content-Length` or
/// `Transfer-Encoding`, both of the latter, a transfer encoding other than chunked (501) or in HTTP/1.0, a target that
/// names another authority than `Host`, more than `max_headers` fields (431).
std::variant<head, problem> parse_head(std::string_view text);

/// Where the head at the begin of `text` ends (behind its empty line); 0 if that has not arrived. Bytes before `seen`
/// were looked at before. A line end that is none, or a control character, gives the problem at once.
std::variant<std::size_t, problem> find_head_end(std::string_view text, std::size_t seen);

/// One field line without its line end. Nothing if it is none.
bool is_field_line(std::string_view line);
/// Visible ASCII, space, tab, and bytes beyond ASCII.
bool is_field_byte(char c);
bool is_token_byte(char c);
/// Upper and lower case being the same, of ASCII.
bool same_text(std::string_view a, std::string_view b);

} // namespace troupe::http
