// What the services ask of a serializer.
#pragma once

#include <concepts>
#include <string>
#include <string_view>

namespace troupe::services {

/// `S` turns a `T` into bytes and back.
///
/// - `encode` gives the same bytes for the same value on every node.
/// - `decode` returns false for anything that is not exactly one `T`; the target's content is then unspecified. It is
///   handed bytes that anybody may have written, and every replica decodes them: it must not depend on anything but its
///   input, must bound its memory and its recursion by the input's size, and must not throw because of what the bytes
///   hold. (Running out of memory may throw: to answer false would make this replica differ from the others.)
///
/// Both are static and are called from several threads at once.
template <class S, class T>
concept serializer = requires(const T& value, T& target, std::string_view bytes) {
  { S::encode(value) } -> std::same_as<std::string>;
  { S::decode(bytes, target) } -> std::same_as<bool>;
};

} // namespace troupe::services
