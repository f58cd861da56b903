// How a message lists its fields, once, for every serializer.
#pragma once

#include <tuple>

/// Names the fields of a message in the order they travel, e.g. `TROUPE_FIELDS(map, key, value)`; stands inside the
/// struct and leaves it an aggregate. The list is the message's wire and log format: to add a field later, add a new
/// message with a new tag, because entries that are already in a log keep their old shape.
#define TROUPE_FIELDS(...)                                                                                             \
  auto troupe_fields() noexcept { return std::tie(__VA_ARGS__); }                                                      \
  auto troupe_fields() const noexcept { return std::tie(__VA_ARGS__); }

namespace troupe::services {

/// A struct with TROUPE_FIELDS.
template <class T>
concept has_fields = requires(T& mine, const T& theirs) {
  mine.troupe_fields();
  theirs.troupe_fields();
};

} // namespace troupe::services
