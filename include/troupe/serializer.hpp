// What a service requires of its serializer.
#pragma once

#include <concepts>
#include <string>
#include <string_view>

namespace troupe {

/// `S` turns a `T` into bytes and back, by two static functions. Both are called from several threads at once.
///
/// - `encode` gives the same bytes for the same value on every node.
/// - `decode` returns false for bytes that are not exactly one `T`; the target's content is then unspecified. Its input
///   is untrusted, and every replica decodes it: the result must depend on the input alone, memory and recursion must
///   be bounded by the input's size, and the content of the bytes must not make it throw. It may throw when memory
///   runs out; if it returned false instead, this replica would differ from the others.
template <class S, class T>
concept serializer = requires(const T& value, T& target, std::string_view bytes) {
  { S::encode(value) } -> std::same_as<std::string>;
  { S::decode(bytes, target) } -> std::same_as<bool>;
};

} // namespace troupe
