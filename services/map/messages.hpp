// What one can say to the map service, and what it answers.
#pragma once

#include "services/service.hpp"
#include "services/value.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Named maps of string keys to values. A map exists while it has a key. Names and keys are any bytes, also none.
namespace troupe::map {

/// Bytes in a map's name or a key, and in a value's encoding. What is larger is refused.
inline constexpr std::size_t max_key_size = 4 * 1024;
inline constexpr std::size_t max_value_size = 1024 * 1024;
/// What counts as the size of the state: each key and its value's encoding, each map's name, and so many bytes for
/// every key and every map.
inline constexpr std::size_t entry_overhead = 128;
/// A listing ends, with `more` set, after so many keys or bytes of keys, whatever was asked for.
inline constexpr std::size_t max_listed_keys = 10'000;
inline constexpr std::size_t max_listed_size = 1024 * 1024;

/// In the results, `revision` is the log index of the command that wrote: it grows with each write.

/// Sets a key, whether or not it is there. A nil value is refused: use `remove`.
struct put_result {
  raft::index_t revision = 0;
  TROUPE_FIELDS(revision)
};
struct put {
  static constexpr std::string_view tag = "put";
  using result = put_result;
  std::string map, key;
  services::value value;
  TROUPE_FIELDS(map, key, value)
};

/// Removes a key. `removed` is false if it was not there; `revision` is this command's log index in any case.
struct remove_result {
  bool removed = false;
  raft::index_t revision = 0;
  TROUPE_FIELDS(removed, revision)
};
struct remove {
  static constexpr std::string_view tag = "remove";
  static constexpr bool adds = false;
  using result = remove_result;
  std::string map, key;
  TROUPE_FIELDS(map, key)
};

/// Sets a key if it holds exactly `expected`; nothing (or nil) expects it to be absent. A nil `value` is refused.
/// `current` and `revision` are what the key holds afterwards: nothing and 0 if it is absent.
struct compare_and_swap_result {
  bool swapped = false;
  std::optional<services::value> current;
  raft::index_t revision = 0;
  TROUPE_FIELDS(swapped, current, revision)
};
struct compare_and_swap {
  static constexpr std::string_view tag = "compare_and_swap";
  using result = compare_and_swap_result;
  std::string map, key;
  std::optional<services::value> expected;
  services::value value;
  TROUPE_FIELDS(map, key, expected, value)
};

/// A key's value and the revision of its last write: nothing and 0 if it is absent.
struct get_result {
  std::optional<services::value> value;
  raft::index_t revision = 0;
  TROUPE_FIELDS(value, revision)
};
struct get {
  static constexpr std::string_view tag = "get";
  using result = get_result;
  std::string map, key;
  TROUPE_FIELDS(map, key)
};

/// At most `limit` keys of a map in the order of their bytes, those greater than `after` if it is given. `more` tells
/// that there are others behind them: ask again with `after` = the last key.
struct list_keys_result {
  std::vector<std::string> keys;
  bool more = false;
  TROUPE_FIELDS(keys, more)
};
struct list_keys {
  static constexpr std::string_view tag = "list_keys";
  using result = list_keys_result;
  std::string map;
  std::uint64_t limit = max_listed_keys;
  std::optional<std::string> after = std::nullopt;
  TROUPE_FIELDS(map, limit, after)
};

} // namespace troupe::map
