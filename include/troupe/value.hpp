// Any MessagePack value, in canonical encoding.
#pragma once

#include <concepts>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <troupe/msgpack_serializer.hpp>
#include <utility>

namespace troupe {

/// An immutable value: nil, bool, integer, float, string, binary, extension, array, or object.
///
/// A value holds its canonical encoding, so that equality is equality of bytes, on every node and in every language:
/// - integers in the shortest form, unsigned unless they are negative;
/// - floats as float 64 (a float 32 is widened). An integer and a float are never equal: `1` is not `1.0`;
/// - strings, binaries, extensions, arrays and objects with the shortest header;
/// - the entries of an object in the order of their encoded keys' bytes (shorter keys first).
///
/// Refused: object keys that are not strings in UTF-8, an object with the same key twice, floats that are not finite,
/// nesting over 64, more than 4 GiB, and anything that is not exactly one value. A string that is not UTF-8 is allowed,
/// except as a key.
///
/// A field of a message that is a value is encoded as one binary: the encoding of the value. As thread-safe as a
/// std::string.
class value {
 public:
  /// Nil.
  value() : encoded_(1, nil) {}

  /// Brings an encoding into the canonical form. Returns nothing if it is refused, with the reason in `why` if given.
  /// Memory is a small multiple of the input's size; time is proportional to it, apart from sorting keys.
  static std::optional<value> from_msgpack(std::string_view encoded, std::string* why = nullptr);

  /// Makes a value of a plain C++ object: whatever the MessagePack serializer takes (numbers, strings, vectors, maps
  /// with string keys, optionals; std::vector<char> is a binary). Throws std::invalid_argument if it is refused.
  template <class T>
  requires(!std::same_as<T, value>) static value of(const T& object) {
    std::string why;
    auto made = from_msgpack(msgpack_serializer::encode(object), &why);
    if (!made) throw std::invalid_argument(why);
    return std::move(*made);
  }

  /// Returns the value as a `T`; nothing if it is not one.
  template <class T> std::optional<T> as() const {
    T object{};
    if (!msgpack_serializer::decode(encoded_, object)) return std::nullopt;
    return object;
  }

  bool is_nil() const noexcept { return encoded_.front() == nil; }
  /// The canonical encoding; never empty.
  const std::string& encoded() const& noexcept { return encoded_; }
  /// The size of the encoding, in bytes.
  std::size_t size() const noexcept { return encoded_.size(); }

  friend bool operator==(const value&, const value&) = default;

 private:
  static constexpr char nil = static_cast<char>(0xc0);

  explicit value(std::string canonical) : encoded_(std::move(canonical)) {}

  std::string encoded_;
};

} // namespace troupe

namespace msgpack {
MSGPACK_API_VERSION_NAMESPACE(MSGPACK_DEFAULT_API_NS) {
  namespace adaptor {

  template <> struct pack<troupe::value> {
    template <class Stream>
    msgpack::packer<Stream>& operator()(msgpack::packer<Stream>& out, const troupe::value& value) const {
      const auto size = static_cast<std::uint32_t>(value.size());
      return out.pack_bin(size).pack_bin_body(value.encoded().data(), size);
    }
  };

  template <> struct as<troupe::value> {
    troupe::value operator()(const msgpack::object& from) const {
      if (from.type != msgpack::type::BIN) throw msgpack::type_error();
      auto made = troupe::value::from_msgpack({from.via.bin.ptr, from.via.bin.size});
      if (!made) throw msgpack::type_error();
      return std::move(*made);
    }
  };

  template <> struct convert<troupe::value> {
    const msgpack::object& operator()(const msgpack::object& from, troupe::value& to) const {
      to = as<troupe::value>{}(from);
      return from;
    }
  };

  } // namespace adaptor
} // MSGPACK_API_VERSION_NAMESPACE
} // namespace msgpack
