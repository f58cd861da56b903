// TROUPE_FIELDS lists the fields of a struct once, for every serializer.
#pragma once

#include <tuple>

/// Names the fields of a message, of a result, or of any struct inside one or in a saved state, in the order in which
/// they are encoded: `TROUPE_FIELDS(map, key, value)`. Write it inside the struct, which stays an aggregate. The list
/// is the format of the message on the network and in the log. Entries that are already in a log keep their old shape,
/// so do not add a field later: add a new message with a new tag.
#define TROUPE_FIELDS(...)                                                                                             \
  auto troupe_fields() noexcept { return std::tie(__VA_ARGS__); }                                                      \
  auto troupe_fields() const noexcept { return std::tie(__VA_ARGS__); }

namespace troupe {

/// A struct with TROUPE_FIELDS.
template <class T>
concept has_fields = requires(T& mine, const T& theirs) {
  mine.troupe_fields();
  theirs.troupe_fields();
};

} // namespace troupe
