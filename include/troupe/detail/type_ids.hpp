// CAF 1.x identifies the type of every message by a number of 16 bits, which crosses the network. CAF's own macros
// count types by __COUNTER__, so a number changes with the order of the headers. Here a message of the library gets its
// number from a fixed table, and any other message gets it from its name.
#pragma once

#include <caf/detail/make_meta_object.hpp>
#include <caf/type_id.hpp>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string_view>
#include <troupe/detail/message_types.hpp>
#include <type_traits>
#include <typeinfo>

namespace troupe::compat {

/// Where a message type has its number from. CAF's own types and those of other libraries have it from elsewhere.
enum class id_from : std::uint8_t { elsewhere, table, name };
/// Specialize it for a message before the first use of the message.
template <class T> inline constexpr id_from id_source = id_from::elsewhere;

namespace spelled { // of its own, because gcc leaves out the namespace of the function
/// A type's name with all namespaces, as the compiler writes it.
template <class T> consteval std::string_view name_of() {
  std::string_view text = __PRETTY_FUNCTION__;
  text.remove_prefix(text.find("T = ") + 4);
  const auto also = text.rfind("; std::string_view = "); // gcc explains the return type
  return text.substr(0, also == text.npos ? text.rfind(']') : also);
}
} // namespace spelled
using spelled::name_of;

/// CAF keeps the numbers below 200 for itself, and programs with their own numbers usually begin there.
inline constexpr caf::type_id_t first_wire_id = 512;
inline constexpr caf::type_id_t first_local_id = 640;
inline constexpr caf::type_id_t first_named_id = 1024;
/// CAF needs 6 MB for the table. With fewer numbers, more programs would have two types with the same one.
inline constexpr caf::type_id_t end_of_ids = caf::invalid_type_id;

#define TROUPE_NAME_OF(type) "troupe::" #type,
inline constexpr std::string_view wire_types[] = {TROUPE_WIRE_TYPES(TROUPE_NAME_OF)};
inline constexpr std::string_view local_types[] = {TROUPE_LOCAL_TYPES(TROUPE_NAME_OF)};
#undef TROUPE_NAME_OF
static_assert(first_wire_id + std::size(wire_types) <= first_local_id);
static_assert(first_local_id + std::size(local_types) <= first_named_id);

/// The number of a message of the library.
consteval caf::type_id_t table_id(std::string_view name) {
  for (std::size_t i = 0; i < std::size(wire_types); ++i)
    if (wire_types[i] == name) return static_cast<caf::type_id_t>(first_wire_id + i);
  for (std::size_t i = 0; i < std::size(local_types); ++i)
    if (local_types[i] == name) return static_cast<caf::type_id_t>(first_local_id + i);
  throw "list the type in troupe/detail/message_types.hpp";
}

/// The number of any other message: the hash FNV-1a of its name.
consteval caf::type_id_t named_id(std::string_view name) {
  std::uint32_t hash = 2'166'136'261u;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 16'777'619u;
  return static_cast<caf::type_id_t>(first_named_id + hash % (end_of_ids - first_named_id));
}

template <class T> consteval caf::type_id_t id_of() {
  return id_source<T> == id_from::table ? table_id(name_of<T>()) : named_id(name_of<T>());
}

/// Gives a message type to CAF. Two types with the same number are reported when the program makes its troupe::config.
/// Thread-safe. Always true.
bool announce_type(caf::type_id_t id, std::string_view name, const std::type_info& type,
                   caf::detail::meta_object (*make)(std::string_view name));

/// What CAF needs to handle a type. CAF constructs a message without arguments only to read it from bytes, which no
/// message of this process is.
template <class T> caf::detail::meta_object meta_object_of(std::string_view name) {
  if constexpr (std::is_default_constructible_v<T>) {
    return caf::detail::make_meta_object<T>(name);
  } else {
    namespace functions = caf::detail::default_function;
    static_assert(caf::is_allowed_unsafe_message_type_v<T>);
    return {name,
            caf::detail::padded_size_v<T>,
            sizeof(T),
            functions::destroy<T>,
            [](void*) { throw std::logic_error("a local message cannot be read from bytes"); },
            functions::copy_construct<T>,
            functions::move_construct<T>,
            functions::save_binary<T>,
            functions::load_binary<T>,
            functions::save<T>,
            functions::load<T>,
            functions::stringify<T>};
  }
}

/// Announces a type before main starts, if the program uses its number.
template <class T>
inline const bool registered = announce_type(id_of<T>(), name_of<T>(), typeid(T), &meta_object_of<T>);

} // namespace troupe::compat

/// @cond
template <class T>
requires(troupe::compat::id_source<T> == troupe::compat::id_from::table) struct caf::type_id<T> {
  static constexpr caf::type_id_t value = troupe::compat::id_of<T>();
};
template <class T>
requires(troupe::compat::id_source<T> == troupe::compat::id_from::name) struct caf::type_id<T> {
  static constexpr caf::type_id_t value =
      (static_cast<void>(&troupe::compat::registered<T>), troupe::compat::id_of<T>());
};
template <class T>
requires(troupe::compat::id_source<T> != troupe::compat::id_from::elsewhere) struct caf::type_name<T> {
  static constexpr std::string_view value = troupe::compat::name_of<T>();
};
/// @endcond
