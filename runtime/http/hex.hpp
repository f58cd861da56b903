// Hexadecimal digits of HTTP.
#pragma once

namespace troupe::http {

/// The value of a hexadecimal digit, 0 to 15; -1 for any other character.
inline int hex_value(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

} // namespace troupe::http
