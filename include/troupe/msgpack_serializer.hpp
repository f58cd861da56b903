// The default serializer: MessagePack, by msgpack-c.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <troupe/detail/msgpack.hpp>
#include <troupe/fields.hpp>
#include <tuple>
#include <type_traits>

namespace troupe {

/// Containers that are nested deeper than this are refused wherever MessagePack is read. A scalar has depth 0, `[]` has
/// depth 1.
inline constexpr std::size_t max_msgpack_depth = 64;

namespace detail {

/// True for bytes that are exactly one MessagePack value, nested at most 64 deep. Every element that a container
/// announces is present, so building the objects of such a value takes memory in proportion to its size.
bool is_one_bounded_value(std::string_view encoded);

/// Builds the objects of such a value. They refer to the bytes of `encoded`, and live as long as `zone`.
msgpack::object unpack_value(msgpack::zone& zone, std::string_view encoded);

template <class T> void convert(const msgpack::object& from, T& to) {
  if constexpr (msgpack::has_as<T>::value)
    to = from.as<T>();
  else
    from.convert(to);
}

} // namespace detail

/// Encodes a struct with TROUPE_FIELDS as an array of its fields, whose length must match when it is decoded, and any
/// other type as msgpack-c's adaptor for it does. Satisfies `serializer`.
struct msgpack_serializer {
  template <class T> static std::string encode(const T& value) {
    std::string out;
    detail::string_sink sink{out};
    detail::packer{sink}.pack(value);
    return out;
  }

  template <class T> static bool decode(std::string_view encoded, T& target) {
    if (!detail::is_one_bounded_value(encoded)) return false;
    try {
      msgpack::zone zone(512); // msgpack-c's default first chunk of 8 KiB is too much for messages of a few fields
      detail::convert(detail::unpack_value(zone, encoded), target);
      return true;
    } catch (const msgpack::type_error&) {
      return false;
    }
  }
};

} // namespace troupe

namespace msgpack {
MSGPACK_API_VERSION_NAMESPACE(MSGPACK_DEFAULT_API_NS) {
  namespace adaptor {

  template <troupe::has_fields T> struct pack<T, void> {
    template <class Stream> msgpack::packer<Stream>& operator()(msgpack::packer<Stream>& out, const T& value) const {
      std::apply(
          [&out](const auto&... field) {
            out.pack_array(static_cast<std::uint32_t>(sizeof...(field)));
            (out.pack(field), ...);
          },
          value.troupe_fields());
      return out;
    }
  };

  template <troupe::has_fields T> struct convert<T, void> {
    const msgpack::object& operator()(const msgpack::object& from, T& to) const {
      std::apply(
          [&from](auto&... field) {
            if (from.type != msgpack::type::ARRAY || from.via.array.size != sizeof...(field))
              throw msgpack::type_error();
            [[maybe_unused]] const auto* element = from.via.array.ptr;
            (troupe::detail::convert(*element++, field), ...);
          },
          to.troupe_fields());
      return from;
    }
  };

  } // namespace adaptor
} // MSGPACK_API_VERSION_NAMESPACE
} // namespace msgpack
