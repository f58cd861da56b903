// Makes bytes of unknown origin safe for human-readable messages.
#pragma once

#include <string>
#include <string_view>

namespace troupe {

/// The text in double quotes. Printable ASCII stays as it is, every other byte, the quote and the backslash become two
/// hexadecimal digits after a backslash and an x; the text is cut after `most` bytes.
inline std::string printable(std::string_view text, std::size_t most = 64) {
  constexpr char digits[] = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text.substr(0, most)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f && c != '"' && c != '\\')
      out += c;
    else
      out.append({'\\', 'x', digits[byte >> 4], digits[byte & 15]});
  }
  out += text.size() > most ? "...\"" : "\"";
  return out;
}

} // namespace troupe
