// Checks for UTF-8, and makes text safe for terminals.
#pragma once

#include <string>
#include <string_view>

namespace troupe::base {

/// True if `text` is well-formed UTF-8 as defined by Unicode: no overlong forms, no surrogates, nothing above U+10FFFF.
bool is_utf8(std::string_view text) noexcept;

/// Replaces each control character (C0, DEL, C1) and each byte that is not UTF-8 by a question mark, so that the text
/// cannot control the terminal that displays it.
std::string plain_text(std::string_view text);

} // namespace troupe::base
