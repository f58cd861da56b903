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
  /// What stands between the slashes, each decoded by itself: "%2F" is a slash inside a segment, and an empty
  /// segment is kept. "/" is one empty segment.
  std::vector<std::string> segments;
  /// In the order of the request. A name without "=" has the value "".
  std::vector<std::pair<std::string, std::string>> query;
};

/// Replaces %XX by its byte; with `plus_is_space` also '+' by ' '. None if a '%' lacks its two hexadecimal digits.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space);

/// Escapes every byte but letters, digits and "-._~": the result stands for `text` in a path segment or in a query.
std::string percent_encode(std::string_view text);

/// More of them need far more memory than their bytes, and no resource has so many.
inline constexpr std::size_t max_segments = 64;
inline constexpr std::size_t max_parameters = 64;

/// Whether `parse_target` would make more segments or parameters than that. Allocates nothing.
bool has_too_many_parts(std::string_view text);

/// Takes "/path?query" and "http://host/path?query" (RFC 9112, 3.2). In the query '+' is a space, as HTML forms,
/// Python's urlencode and JavaScript's URLSearchParams write it; in the path it is a plus. None if the text is
/// neither of the two forms, has too many parts, or an escape is broken.
std::optional<target> parse_target(std::string_view text);

} // namespace troupe::http
