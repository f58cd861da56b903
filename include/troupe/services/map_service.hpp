// The class and the messages of the map service: named maps of string keys to values. It is written as any service is;
// programs include map.hpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <troupe/cow_map.hpp>
#include <troupe/service.hpp>
#include <troupe/value.hpp>
#include <vector>

/// The messages of the map service. A map exists while it has a key. Names of maps and keys are any bytes, also none.
namespace troupe::map {

/// The longest name of a map, the longest key and the largest encoding of a value, in bytes. Larger ones are refused.
inline constexpr std::size_t max_key_size = 4 * 1024;
inline constexpr std::size_t max_value_size = 1024 * 1024;
/// What counts as the size of the state: each key, the encoding of its value, the name of each map, and this number of
/// bytes for every key and every map.
inline constexpr std::size_t entry_overhead = 128;
/// A listing ends, with `more` set, after this number of keys or bytes of keys, whatever limit was asked for.
inline constexpr std::size_t max_listed_keys = 10'000;
inline constexpr std::size_t max_listed_size = 1024 * 1024;

// In the results, `revision` is the log index of the command that wrote. It grows with each write.

struct put_result {
  index_t revision = 0;
  TROUPE_FIELDS(revision)
};
/// Sets a key, whether or not it exists. A nil value is refused: use `remove`.
struct put {
  static constexpr std::string_view tag = "put";
  using result = put_result;
  std::string map, key;
  troupe::value value;
  TROUPE_FIELDS(map, key, value)
};

/// `removed` is false if the key did not exist. `revision` is the log index of this command in any case.
struct remove_result {
  bool removed = false;
  index_t revision = 0;
  TROUPE_FIELDS(removed, revision)
};
/// Removes a key, whether or not it exists.
struct remove {
  static constexpr std::string_view tag = "remove";
  static constexpr bool adds = false;
  using result = remove_result;
  std::string map, key;
  TROUPE_FIELDS(map, key)
};

/// `current` and `revision` are what the key holds afterwards: nothing and 0 if it does not exist.
struct compare_and_swap_result {
  bool swapped = false;
  std::optional<troupe::value> current;
  index_t revision = 0;
  TROUPE_FIELDS(swapped, current, revision)
};
/// Sets a key if it holds exactly `expected`; nothing (or nil) expects that the key does not exist. A nil `value` is
/// refused.
struct compare_and_swap {
  static constexpr std::string_view tag = "compare_and_swap";
  using result = compare_and_swap_result;
  std::string map, key;
  std::optional<troupe::value> expected;
  troupe::value value;
  TROUPE_FIELDS(map, key, expected, value)
};

struct get_result {
  std::optional<troupe::value> value;
  index_t revision = 0;
  TROUPE_FIELDS(value, revision)
};
/// Reads the value of a key and the revision of its last write: nothing and 0 if it does not exist.
struct get {
  static constexpr std::string_view tag = "get";
  using result = get_result;
  std::string map, key;
  TROUPE_FIELDS(map, key)
};

/// `more` tells that there are further keys: ask again with `after` = the last one.
struct list_keys_result {
  std::vector<std::string> keys;
  bool more = false;
  TROUPE_FIELDS(keys, more)
};
/// Lists at most `limit` keys of a map in the order of their bytes: those greater than `after` if it is given.
struct list_keys {
  static constexpr std::string_view tag = "list_keys";
  using result = list_keys_result;
  std::string map;
  std::uint64_t limit = max_listed_keys;
  std::optional<std::string> after = std::nullopt;
  TROUPE_FIELDS(map, limit, after)
};

} // namespace troupe::map

namespace troupe {

/// The service itself; give it to spawn_node.
class map_service {
 public:
  static constexpr std::string_view name = "map";
  using commands = types<map::put, map::remove, map::compare_and_swap>;
  using queries = types<map::get, map::list_keys>;

  map::put_result apply(map::put command, const apply_context& context);
  map::remove_result apply(const map::remove& command, const apply_context& context);
  map::compare_and_swap_result apply(map::compare_and_swap command, const apply_context& context);

  map::get_result query(const map::get& question) const;
  map::list_keys_result query(const map::list_keys& question) const;

  std::uint64_t state_bytes() const noexcept { return bytes_; }
  bool adds(const map::put& command) const;
  bool adds(const map::compare_and_swap& command) const;

  void save(state_writer& to) const;
  void load(state_reader& from);

 private:
  struct slot {
    troupe::value value;
    index_t revision = 0;
    TROUPE_FIELDS(value, revision)
  };
  using slots = cow_map<std::string, slot>;

  bool matches(const slot* held, const map::compare_and_swap& command) const;
  const slot* find(std::string_view map, std::string_view key) const;
  void set(std::string map, std::string key, slot next);

  cow_map<std::string, slots> maps_; // none of them is empty
  std::uint64_t bytes_ = 0;          // see map::entry_overhead
};

} // namespace troupe
