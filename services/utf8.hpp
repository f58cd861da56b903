// Tells text from other bytes.
#pragma once

#include <string_view>

namespace troupe::services {

/// True for well-formed UTF-8 as Unicode defines it: no overlong forms, no surrogates, nothing above U+10FFFF.
bool is_utf8(std::string_view text) noexcept;

} // namespace troupe::services
