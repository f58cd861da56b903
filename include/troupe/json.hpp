// Converts values to JSON text and back.
//
// What JSON cannot express is shown as an object with the member "$bin", in base64 (RFC 4648, with padding):
//
//   binary                        {"$bin": "AAE="}
//   extension of type 5           {"$bin": "AAE=", "$ext": 5}
//   string that is not UTF-8      {"$bin": "/w==", "$str": true}
//
// An object of exactly that form is read as what it shows, so a value that was read as JSON can be written back, or
// used in a compare-and-swap, unchanged. Any other object is an ordinary one, whatever its keys. The one value that has
// no JSON text is therefore an object that looks exactly like the above.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <troupe/value.hpp>
#include <utility>
#include <vector>

namespace troupe {

/// Reads a JSON text (RFC 8259). Returns nothing if it is refused, with the reason in `why` if given.
///
/// A number without fraction and exponent is an integer, and is refused if it fits neither int64 nor uint64, as it
/// could not be kept exactly. Any other number is a float: `1.0` and `1e0` are not `1`. Also refused are what `value`
/// refuses (an object with the same key twice, nesting over 64), numbers beyond a double, text that is not UTF-8, and a
/// value whose encoding would have more than `most` bytes; reading stops where that is known. The time is proportional
/// to the text, and `why` quotes at most 200 bytes of it.
std::optional<value> from_json(std::string_view text, std::string* why = nullptr, std::size_t most = SIZE_MAX);

/// Reads a JSON object, and returns its members in the order of the text. Each is a value by itself: it may be nested
/// 64 deep and take `most` bytes. The caller checks whether a name comes twice.
std::optional<std::vector<std::pair<std::string, value>>>
members_from_json(std::string_view text, std::string* why = nullptr, std::size_t most = SIZE_MAX);

/// Returns the value as JSON without white space, in UTF-8. A float shows a fraction or an exponent, and as many digits
/// as are needed to read the same bits back. Members are in canonical order.
std::string to_json(const value& shown);

/// Appends a string as `to_json` shows it, e.g. a key.
void append_json_string(std::string& out, std::string_view text);

} // namespace troupe
