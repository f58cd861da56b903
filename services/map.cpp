#include <troupe/detail/machine.hpp>
#include <troupe/services/map_service.hpp>

#include <algorithm>
#include <utility>

namespace troupe {
namespace {

void check_name(std::string_view map) {
  if (map.size() > map::max_key_size) throw refused("the map's name is longer than 4 KiB");
}

void check_key(std::string_view map, std::string_view key) {
  check_name(map);
  if (key.size() > map::max_key_size) throw refused("the key is longer than 4 KiB");
}

void check_value(const value& value) {
  if (value.is_nil()) throw refused("a null value cannot be stored: remove the key instead");
  if (value.size() > map::max_value_size) throw refused("the value is larger than 1 MiB");
}

/// The size of a map without its entries, or of a key without its value.
std::uint64_t size_of(std::string_view name) { return name.size() + map::entry_overhead; }

std::uint64_t size_of(std::string_view key, const value& value) { return size_of(key) + value.size(); }

} // namespace

/// Finds the entry only once, and subtracts the size of the replaced value on the way.
void map_service::set(std::string map, std::string key, slot next) {
  const auto name_bytes = size_of(map);
  const auto key_bytes = size_of(key);
  auto& entries = maps_[std::move(map)];
  if (entries.empty()) bytes_ += name_bytes;
  bytes_ += key_bytes + next.value.size();
  entries.insert_or_assign(std::move(key), std::move(next),
                           [&](const slot& before) { bytes_ -= key_bytes + before.value.size(); });
}

map::put_result map_service::apply(map::put command, const apply_context& context) {
  check_key(command.map, command.key);
  check_value(command.value);
  set(std::move(command.map), std::move(command.key), {std::move(command.value), context.index});
  return {context.index};
}

map::remove_result map_service::apply(const map::remove& command, const apply_context& context) {
  check_key(command.map, command.key);
  const auto* there = find(command.map, command.key);
  if (!there) return {false, context.index};
  bytes_ -= size_of(command.key, there->value);
  auto& held = maps_[command.map];
  held.erase(command.key);
  if (held.empty()) {
    bytes_ -= size_of(command.map);
    maps_.erase(command.map);
  }
  return {true, context.index};
}

map::compare_and_swap_result map_service::apply(map::compare_and_swap command, const apply_context& context) {
  check_key(command.map, command.key);
  check_value(command.value);
  const auto* held = find(command.map, command.key);
  if (!matches(held, command)) {
    if (!held) return {};
    return {false, held->value, held->revision};
  }
  set(std::move(command.map), std::move(command.key), {command.value, context.index});
  return {true, std::move(command.value), context.index};
}

bool map_service::matches(const slot* held, const map::compare_and_swap& command) const {
  const bool expects_absent = !command.expected || command.expected->is_nil();
  return held ? !expects_absent && held->value == *command.expected : expects_absent;
}

bool map_service::adds(const map::put& command) const {
  const auto* held = find(command.map, command.key);
  return !held || command.value.size() > held->value.size();
}

bool map_service::adds(const map::compare_and_swap& command) const {
  const auto* held = find(command.map, command.key);
  return matches(held, command) && (!held || command.value.size() > held->value.size());
}

map::get_result map_service::query(const map::get& question) const {
  check_key(question.map, question.key);
  const auto* held = find(question.map, question.key);
  if (!held) return {};
  return {held->value, held->revision};
}

map::list_keys_result map_service::query(const map::list_keys& question) const {
  check_name(question.map);
  const auto* found = maps_.find(question.map);
  if (!found) return {};
  const auto& held = *found;
  map::list_keys_result result;
  std::uint64_t left = std::min<std::uint64_t>(question.limit, map::max_listed_keys);
  std::size_t size = 0;
  auto next = question.after ? held.upper_bound(*question.after) : held.begin();
  for (; next != held.end() && left > 0 && size < map::max_listed_size; ++next, --left) {
    size += next->first.size();
    result.keys.push_back(next->first);
  }
  result.more = next != held.end();
  return result;
}

//   format = 1 | number of maps | { name | number of keys | { key | [value, revision] } }
//
// in the order of names and keys. The reader rejects any other order, and empty maps.
void map_service::save(state_writer& to) const {
  to.put(1);
  to.put(maps_.size());
  for (const auto& [map, held] : maps_) {
    to.put(map);
    to.put(held.size());
    for (const auto& [key, entry] : held) {
      to.put(key);
      to.put(entry);
    }
  }
}

void map_service::load(state_reader& from) {
  from.get_format(1);
  for (auto maps = from.get<std::size_t>(); maps > 0; --maps) {
    auto map = from.get<std::string>();
    slots held;
    for (auto keys = from.get<std::size_t>(); keys > 0; --keys) {
      auto key = from.get<std::string>();
      auto entry = from.get<slot>();
      bytes_ += size_of(key, entry.value);
      if (!held.append(std::move(key), std::move(entry))) throw snapshot_error("keys are not in order");
    }
    if (held.empty()) throw snapshot_error("a map is empty");
    bytes_ += size_of(map);
    if (!maps_.append(std::move(map), std::move(held))) throw snapshot_error("maps are not in order");
  }
}

const map_service::slot* map_service::find(std::string_view map, std::string_view key) const {
  const auto* found = maps_.find(map);
  return found ? found->find(key) : nullptr;
}

} // namespace troupe

template std::unique_ptr<troupe::detail::machine>
troupe::detail::make_machine<troupe::map_service>(map_service service);
