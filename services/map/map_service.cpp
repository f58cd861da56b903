#include "services/map/map_service.hpp"

#include <algorithm>
#include <utility>

namespace troupe {
namespace {

void check_name(std::string_view map) {
  if (map.size() > map::max_key_size) throw services::refused("the map's name is longer than 4 KiB");
}

void check_key(std::string_view map, std::string_view key) {
  check_name(map);
  if (key.size() > map::max_key_size) throw services::refused("the key is longer than 4 KiB");
}

void check_value(const services::value& value) {
  if (value.is_nil()) throw services::refused("a null value cannot be stored: remove the key instead");
  if (value.size() > map::max_value_size) throw services::refused("the value is larger than 1 MiB");
}

} // namespace

map::put_result map_service::apply(map::put command, const services::apply_context& context) {
  check_key(command.map, command.key);
  check_value(command.value);
  maps_[std::move(command.map)][std::move(command.key)] = {std::move(command.value), context.index};
  return {context.index};
}

map::remove_result map_service::apply(const map::remove& command, const services::apply_context& context) {
  check_key(command.map, command.key);
  const auto found = maps_.find(command.map);
  if (found == maps_.end()) return {false, context.index};
  const bool removed = found->second.erase(command.key) == 1;
  if (found->second.empty()) maps_.erase(found);
  return {removed, context.index};
}

map::compare_and_swap_result map_service::apply(map::compare_and_swap command, const services::apply_context& context) {
  check_key(command.map, command.key);
  check_value(command.value);
  const bool expects_absent = !command.expected || command.expected->is_nil();
  const auto* held = find(command.map, command.key);
  const bool matches = held ? !expects_absent && held->value == *command.expected : expects_absent;
  if (!matches) {
    if (!held) return {};
    return {false, held->value, held->revision};
  }
  maps_[std::move(command.map)][std::move(command.key)] = {command.value, context.index};
  return {true, std::move(command.value), context.index};
}

map::get_result map_service::query(const map::get& question) const {
  check_key(question.map, question.key);
  const auto* held = find(question.map, question.key);
  if (!held) return {};
  return {held->value, held->revision};
}

map::list_keys_result map_service::query(const map::list_keys& question) const {
  check_name(question.map);
  const auto found = maps_.find(question.map);
  if (found == maps_.end()) return {};
  const auto& held = found->second;
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

const map_service::slot* map_service::find(std::string_view map, std::string_view key) const {
  const auto found = maps_.find(map);
  if (found == maps_.end()) return nullptr;
  const auto held = found->second.find(key);
  return held == found->second.end() ? nullptr : &held->second;
}

} // namespace troupe
