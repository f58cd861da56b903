// The request target: path and query of a URL, decoded.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe::http {

/// A decoded request target. "/v1/maps/m/?a=b" has the segments "v1", "maps", "m", "" and the parameter (a, b).
struct target {
  /// The parts between the slashes, each decoded separately: "%2F" is a slash inside a segment. Empty segments are
  /// kept. "/" is one empty segment.
  std::vector<std::string> segments;
  /// The parameters in the order of the request. A name without "=" has the value "".
  std::vector<std::pair<std::string, std::string>> query;
};

/// Replaces %XX by its byte, and with `plus_is_space` also '+' by ' '. Returns nothing if a '%' lacks its two
/// hexadecimal digits.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space);

/// Escapes every byte except letters, digits and "-._~". The result represents `text` in a path segment or a query.
std::string percent_encode(std::string_view text);

/// Limits. Each part needs far more memory than its bytes, and no resource has so many parts.
inline constexpr std::size_t max_segments = 64;
inline constexpr std::size_t max_parameters = 64;

/// Whether `parse_target` would return more segments or parameters than the limits. Does not allocate.
bool has_too_many_parts(std::string_view text);

/// Parses "/path?query" and "http://host/path?query" (RFC 9112, 3.2). In the query '+' is a space, as HTML forms,
/// Python's urlencode and JavaScript's URLSearchParams write it; in the path it is a plus. Returns nothing if the text
/// has neither of the two forms, has too many parts, or contains a bad escape.
std::optional<target> parse_target(std::string_view text);

} // namespace troupe::http
