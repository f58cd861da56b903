// Values as JSON text, and back.
//
// What JSON has no word for is shown as an object with the member "$bin", in base64 (RFC 4648, with padding):
//
//   binary                        {"$bin": "AAE="}
//   extension of type 5           {"$bin": "AAE=", "$ext": 5}
//   string that is not UTF-8      {"$bin": "/w==", "$str": true}
//
// An object of exactly that form is read as what it shows, so a value read as JSON can be written back, or handed to a
// compare-and-swap, unchanged. Any other object is an ordinary one, whatever its keys. (So the one thing that JSON
// cannot say is an object that looks exactly like the above.)
#pragma once

#include "services/value.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe::services {

/// The value of a JSON text (RFC 8259). Nothing if it is refused; `why`, if given, then says for what reason.
///
/// A number without fraction and exponent is an integer, and refused if it fits neither int64 nor uint64: it could not
/// be kept exactly. Any other number is a float: `1.0` and `1e0` are not `1`. Refused besides what `value` refuses (an
/// object with the same key twice, nesting over 64): numbers beyond a double, text that is not UTF-8, and a value whose
/// encoding would have more than `most` bytes, which ends the reading where that is known. The time is in proportion to
/// the text, and `why` quotes at most 200 bytes of it.
std::optional<value> from_json(std::string_view text, std::string* why = nullptr, std::size_t most = SIZE_MAX);

/// The members of the JSON object that the text is, in its order. Each is a value by itself: it may be nested 64 deep
/// and take `most` bytes. Whether a name comes twice is for the caller to see.
std::optional<std::vector<std::pair<std::string, value>>>
members_from_json(std::string_view text, std::string* why = nullptr, std::size_t most = SIZE_MAX);

/// The value as JSON without white space, ASCII or UTF-8. A float shows a fraction or an exponent, and as many digits
/// as bring back the same bits. Members stand in canonical order.
std::string to_json(const value& shown);

/// Appends a string as `to_json` shows it, e.g. a key.
void append_json_string(std::string& out, std::string_view text);

} // namespace troupe::services
