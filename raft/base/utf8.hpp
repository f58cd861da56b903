// Tells text from other bytes.
#pragma once

#include <string>
#include <string_view>

namespace troupe::services {

/// True for well-formed UTF-8 as Unicode defines it: no overlong forms, no surrogates, nothing above U+10FFFF.
bool is_utf8(std::string_view text) noexcept;

/// With a question mark for each control character (C0, DEL, C1) and for each byte that is not UTF-8: nothing in it
/// controls the terminal on which it is read.
std::string plain_text(std::string_view text);

} // namespace troupe::services
