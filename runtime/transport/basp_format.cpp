#include "runtime/transport/basp_format.hpp"

#include <algorithm>

namespace troupe::net {
namespace {

constexpr std::size_t host_id_size = 20;

// -- BASP 3

/// "default", packed into an integer as CAF 0.17 packs short names.
constexpr std::uint64_t default_node_id = 0x00003e9aab9bac79;
constexpr std::string_view error_type = "@error";
/// The type names of a message without elements, and what those of other messages begin with.
constexpr std::string_view no_types = "@<>";
constexpr std::string_view types_prefix = "@<>+";

/// The type names of a message, before its elements: `no_types`, or more than that.
std::string_view get_type_names(payload_reader& in) {
  if (in.get<std::uint16_t>() != 0) in.fail();
  const auto names = in.get_string();
  if (names != no_types && !names.starts_with(types_prefix)) in.fail();
  return in.ok() ? names : no_types;
}

// -- BASP 8

/// The position of CAF's own kind of node id in its list of kinds.
constexpr std::uint8_t hashed_node_id = 1;
/// Limit of the strings in the context of an error; the project's errors have three. CAF keeps every list of types that
/// it has ever read. It refuses a list of 65,535 types, and then dereferences the sender, which may be null: a message
/// that passes must never fail to load.
constexpr std::uint32_t max_context = 16;

} // namespace

std::string_view basp_3::get_node_id(payload_reader& in) const {
  const auto id = in.get_raw(sizeof(std::uint64_t) + sizeof(std::uint32_t) + host_id_size);
  if (payload_reader{id}.get<std::uint64_t>() == default_node_id) return id;
  in.fail();
  return {};
}

basp_format::head basp_3::get_head(payload_reader& in) const {
  if (in.get_length() != 0) in.fail(); // stages: other actors that would get the message
  auto names = get_type_names(in);
  if (names == no_types) return {};
  names.remove_prefix(types_prefix.size());
  return {names == error_type ? content::error : content::other, names};
}

void basp_3::skip_error(payload_reader& in) const {
  in.get<std::uint8_t>();
  in.get<std::uint64_t>();
  auto names = get_type_names(in).substr(no_types.size());
  for (; in.ok() && !names.empty(); in.get_string()) {
    constexpr std::string_view plus_string = "+@str";
    if (!names.starts_with(plus_string)) return in.fail();
    names.remove_prefix(plus_string.size());
  }
}

std::string basp_8::written(std::uint16_t id) { return {static_cast<char>(id >> 8), static_cast<char>(id & 0xff)}; }

std::string_view basp_8::get_node_id(payload_reader& in) const {
  const auto id = in.get_raw(sizeof(std::uint8_t) + sizeof(std::uint32_t) + host_id_size);
  if (payload_reader{id}.get<std::uint8_t>() == hashed_node_id) return id;
  in.fail();
  return {};
}

basp_format::head basp_8::get_head(payload_reader& in) const {
  const auto types = in.get_raw(std::size_t{2} * in.get_length());
  if (types.empty()) return {};
  return {types == written(ids_.error) ? content::error : content::other, types};
}

void basp_8::skip_error(payload_reader& in) const {
  switch (in.get<std::uint8_t>()) { // whether there is an error
  case 0:
    return;
  case 1:
    break;
  default:
    return in.fail();
  }
  if (in.get<std::uint8_t>() == 0) return in.fail(); // CAF's errors have no such code, but it would load one
  const auto category = in.get<std::uint16_t>();
  if (std::find(ids_.error_categories.begin(), ids_.error_categories.end(), category) == ids_.error_categories.end())
    return in.fail();
  const auto count = in.get_length();
  if (count > max_context) return in.fail();
  const auto types = in.get_raw(std::size_t{2} * count);
  for (payload_reader each{types}; in.ok() && !each.done();) {
    if (each.get<std::uint16_t>() != ids_.string) return in.fail();
    in.get_string();
  }
}

std::optional<std::uint64_t> version_of_client(std::string_view payload) {
  const basp_3 three;
  const basp_8 eight{{}};
  for (const basp_format* format : {static_cast<const basp_format*>(&three), static_cast<const basp_format*>(&eight)}) {
    payload_reader in{payload};
    format->get_node_id(in);
    if (in.done()) return format->version();
  }
  return {};
}

} // namespace troupe::net
