// A replicated map, written as any service is: the state, a function per message, and not a word about replication.
#pragma once

#include "services/cow_map.hpp"
#include "services/map/messages.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace troupe {

class map_service {
 public:
  static constexpr std::string_view name = "map";
  using commands = types<map::put, map::remove, map::compare_and_swap>;
  using queries = types<map::get, map::list_keys>;

  map::put_result apply(map::put command, const services::apply_context& context);
  map::remove_result apply(const map::remove& command, const services::apply_context& context);
  map::compare_and_swap_result apply(map::compare_and_swap command, const services::apply_context& context);

  map::get_result query(const map::get& question) const;
  map::list_keys_result query(const map::list_keys& question) const;

  std::uint64_t state_bytes() const noexcept { return bytes_; }
  bool adds(const map::put& command) const;
  bool adds(const map::compare_and_swap& command) const;

  void save(services::state_writer& to) const;
  void load(services::state_reader& from);

 private:
  struct slot {
    services::value value;
    raft::index_t revision = 0;
    TROUPE_FIELDS(value, revision)
  };
  using slots = services::cow_map<std::string, slot>;

  bool matches(const slot* held, const map::compare_and_swap& command) const;
  const slot* find(std::string_view map, std::string_view key) const;
  void set(std::string map, std::string key, slot next);

  services::cow_map<std::string, slots> maps_; // no map in it is empty
  std::uint64_t bytes_ = 0;                    // see map::entry_overhead
};

} // namespace troupe
