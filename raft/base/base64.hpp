// Base64 (RFC 4648) for binary values in JSON.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace troupe::base {

/// RFC 4648, section 4: the standard alphabet, with padding.
std::string to_base64(std::string_view data);

/// The reverse. Returns nullopt for text that `to_base64` would not write (missing padding, unused bits that are set,
/// line breaks).
std::optional<std::string> from_base64(std::string_view text);

} // namespace troupe::base
